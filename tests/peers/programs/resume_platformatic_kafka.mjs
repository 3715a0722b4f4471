// @platformatic/kafka as its README writes a consumer: an async iterator. Commits are automatic.
import { createRequire } from "node:module";

// As an ES module, import looks for packages beside this file alone; require() heeds NODE_PATH.
const { Consumer } = createRequire(import.meta.url)("@platformatic/kafka");

const consumer = new Consumer({
  groupId: process.env.KAFKA_GROUP_ID,
  groupInstanceId: process.env.KAFKA_GROUP_INSTANCE_ID,
  clientId: "my-consumer",
  bootstrapBrokers: [process.env.KAFKA_BOOTSTRAP_SERVERS],
});
const stream = await consumer.consume({
  topics: [process.env.KAFKA_TOPIC],
  mode: "committed", // the default is the latest message, whatever is committed
  fallbackMode: "earliest",
  isolationLevel: 1, // read committed
});
let count = 0;
for await (const message of stream) {
  console.log(`${message.partition} ${message.offset}`);
  count += 1;
  if (count === 5 && process.env.AFTER_FIVE === "hang") await new Promise((done) => setTimeout(done, 3600_000));
  if (count === 5 && process.env.AFTER_FIVE === "end") break;
}
await consumer.close();
