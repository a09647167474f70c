// Posts the same events by the CloudEvents SDK for Java in each of its ways; prints statuses.
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.message.MessageWriter;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.Map;

public class Post {
    static CloudEvent event(String id) {
        String data = "{\"participants\": 7, \"note\": \"Lớp học buổi tối\"}";
        return CloudEventBuilder.v1().withId(id)
            .withSource(URI.create("https://congan.daklak.example/vneid"))
            .withType("vn.hocvuso.class.held").withSubject("24133")
            .withTime(OffsetDateTime.parse("2026-06-30T08:00:00+07:00"))
            .withData("application/json", data.getBytes(StandardCharsets.UTF_8)).build();
    }

    static void post(String[] arguments, String name, Map<String, String> headers, byte[] body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(arguments[0] + "/v1/events"))
            .header("authorization", "Bearer " + arguments[1])
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        headers.forEach(request::header);
        // Over plain HTTP this client asks to change to HTTP/2, with a body, which the server cannot take.
        HttpResponse<String> answer = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
            .send(request.build(), HttpResponse.BodyHandlers.ofString());
        System.out.println("{\"name\": \"" + name + "\", \"status\": " + answer.statusCode() + ", \"body\": " + answer.body() + "}");
    }

    public static void main(String[] arguments) throws Exception {
        for (String round : new String[] {"first", "again"}) {
            for (String mode : new String[] {"structured", "binary"}) {
                Map<String, String> headers = new LinkedHashMap<>();
                byte[][] body = new byte[1][];
                MessageWriter<?, ?> writer = HttpMessageFactory.createWriter(headers::put, bytes -> body[0] = bytes);
                CloudEvent event = event("java-" + mode);
                if (mode.equals("binary")) {
                    writer.writeBinary(event);
                } else {
                    writer.writeStructured(event, new JsonFormat());
                }
                post(arguments, mode + " " + round, headers, body[0]);
            }
        }
    }
}
