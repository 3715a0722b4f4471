// kafkajs as its README writes a consumer: eachMessage. Commits are automatic. It has no static membership.
const { Kafka, logLevel } = require("kafkajs");

const kafka = new Kafka({ brokers: [process.env.KAFKA_BOOTSTRAP_SERVERS], logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: process.env.KAFKA_GROUP_ID });
let count = 0;

const run = async () => {
  await consumer.connect();
  await consumer.subscribe({ topic: process.env.KAFKA_TOPIC, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      console.log(`${partition} ${message.offset}`);
      count += 1;
      if (count === 5 && process.env.AFTER_FIVE === "hang") await new Promise((done) => setTimeout(done, 3600_000));
      if (count === 5 && process.env.AFTER_FIVE === "end") consumer.disconnect(); // awaited here, it would wait for us
    },
  });
};

run().catch(console.error);
