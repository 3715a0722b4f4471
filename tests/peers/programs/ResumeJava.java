import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Java's client as its own documentation writes a consumer: poll() in a loop. Commits are automatic. */
class ResumeJava {
    public static void main(String[] arguments) throws InterruptedException {
        Map<String, String> environment = System.getenv();
        Map<String, Object> settings = new TreeMap<>(Map.of(
            "bootstrap.servers", environment.get("KAFKA_BOOTSTRAP_SERVERS"),
            "group.id", environment.get("KAFKA_GROUP_ID"),
            "auto.offset.reset", "earliest",
            "isolation.level", "read_committed"));
        if (environment.containsKey("KAFKA_GROUP_INSTANCE_ID")) {
            settings.put("group.instance.id", environment.get("KAFKA_GROUP_INSTANCE_ID"));
        }
        String afterFive = environment.getOrDefault("AFTER_FIVE", "");
        int count = 0;
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(environment.get("KAFKA_TOPIC")));
            while (true) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    System.out.println(record.partition() + " " + record.offset());
                    count += 1;
                    if (count == 5 && afterFive.equals("hang")) {
                        Thread.sleep(3_600_000);
                    }
                    if (count == 5 && afterFive.equals("end")) {
                        return;
                    }
                }
            }
        }
    }
}
