// Posts the same events by the CloudEvents SDK for JavaScript in each of its ways; prints statuses.
const { CloudEvent, HTTP } = require("cloudevents");

const [url, key] = process.argv.slice(2);

function event(id) {
  return new CloudEvent({
    id, source: "https://congan.daklak.example/vneid", type: "vn.hocvuso.class.held",
    subject: "24133", time: "2026-06-30T08:00:00+07:00",
    data: { participants: 7, note: "Lớp học buổi tối" },
  });
}

async function post(name, headers, body) {
  const answer = await fetch(`${url}/v1/events`, {
    method: "POST", headers: { ...headers, authorization: `Bearer ${key}` }, body,
  });
  console.log(JSON.stringify({ name, status: answer.status, body: await answer.json() }));
}

(async () => {
  for (const round of ["first", "again"]) {
    const structured = HTTP.structured(event("js-structured"));
    await post(`structured ${round}`, structured.headers, structured.body);
    const binary = HTTP.binary(event("js-binary"));
    await post(`binary ${round}`, binary.headers, binary.body);
    const batch = JSON.stringify([event("js-batch-1"), event("js-batch-2")]);
    await post(`batch ${round}`, { "content-type": "application/cloudevents-batch+json" }, batch);
  }
})();
