// A partner's first events over Kafka, in binary and in structured mode.
//
//   javac -cp kafka-clients.jar Producer.java
//   java -cp kafka-clients.jar:slf4j-api.jar:. Producer vnpt broker.example:9093 10 client.properties
//
// client.properties (left out, it speaks PLAINTEXT, as the pilot on one machine does):
//   security.protocol=SASL_SSL
//   sasl.mechanism=SCRAM-SHA-512
//   sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
//     username="vnpt" password="...";
//   ssl.truststore.type=PEM
//   ssl.truststore.location=ca.pem

import java.io.FileReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Producer {
    static String source;

    public static void main(String[] arguments) throws Exception {
        String topic = "hocvuso.intake." + arguments[0] + ".v1";
        source = "https://" + arguments[0] + ".example/training";
        int count = Integer.parseInt(arguments[2]);
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[1]);
        settings.put("acks", "all");
        settings.put("enable.idempotence", "true");
        if (arguments.length > 3) {
            try (FileReader file = new FileReader(arguments[3])) {
                settings.load(file);
            }
        }
        ByteArraySerializer bytes = new ByteArraySerializer();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, bytes, bytes)) {
            Future<RecordMetadata> last = null;
            for (int number = 0; number < count; number++) {
                // The id is yours: the same id again is the same event, so resending is safe.
                String id = String.format("java-%06d", number);
                // No key: it would lie in clear on the topic. Order does not matter to hocvuso.
                last = producer.send(number % 2 == 0 ? structured(topic, id, number) : binary(topic, id, number));
            }
            producer.flush();
            if (last != null) {
                System.out.println("sent " + count + ", the last to " + last.get());
            }
        }
    }

    static Map<String, String> attributes(String id) {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("specversion", "1.0");
        attributes.put("id", id);
        attributes.put("source", source);
        attributes.put("type", "vn.hocvuso.training.attended");
        attributes.put("subject", "24133");
        attributes.put("time", "2026-06-30T09:12:00+07:00");
        return attributes;
    }

    static String data(int number) {
        return String.format(
            "{\"person\": {\"scheme\": \"cccd\", \"value\": \"0660991%05d\"}, \"target_groups\": [\"adult\"]}",
            number);
    }

    static ProducerRecord<byte[], byte[]> binary(String topic, String id, int number) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, utf8(data(number)));
        record.headers().add("content-type", utf8("application/json"));
        attributes(id).forEach((name, value) -> record.headers().add("ce_" + name, utf8(value)));
        return record;
    }

    static ProducerRecord<byte[], byte[]> structured(String topic, String id, int number) {
        StringBuilder event = new StringBuilder("{");
        attributes(id).forEach((name, value) -> event.append('"').append(name).append("\": \"").append(value).append("\", "));
        event.append("\"data\": ").append(data(number)).append('}');
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, utf8(event.toString()));
        record.headers().add("content-type", utf8("application/cloudevents+json"));
        return record;
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
