// kafkajs, as its README and the Node originals write a consumer: no signal is handled. Commits are automatic.
const { Kafka, logLevel } = require("kafkajs");

const kafka = new Kafka({
  clientId: "my-app",
  brokers: process.env.KAFKA_BOOTSTRAP_SERVERS.split(","),
  logLevel: logLevel.ERROR, // its log goes to stdout as well
});
const consumer = kafka.consumer({ groupId: process.env.KAFKA_GROUP_ID });

const run = async () => {
  await consumer.connect();
  await consumer.subscribe({ topic: process.env.KAFKA_TOPIC, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      console.log(`Received: ${message.value} (partition ${partition}, offset ${message.offset})`);
    },
  });
};

run().catch(console.error);
