// segmentio's kafka-go as its README writes a consumer: ReadMessage, which commits. It has no static membership.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/segmentio/kafka-go"
)

func main() {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers:        []string{os.Getenv("KAFKA_BOOTSTRAP_SERVERS")},
		GroupID:        os.Getenv("KAFKA_GROUP_ID"),
		Topic:          os.Getenv("KAFKA_TOPIC"),
		StartOffset:    kafka.FirstOffset,
		IsolationLevel: kafka.ReadCommitted,
	})
	for count := 1; ; count++ {
		message, err := reader.ReadMessage(context.Background())
		if err != nil {
			panic(err)
		}
		fmt.Println(message.Partition, message.Offset)
		if count == 5 && os.Getenv("AFTER_FIVE") == "hang" {
			time.Sleep(time.Hour)
		}
		if count == 5 && os.Getenv("AFTER_FIVE") == "end" {
			break
		}
	}
	if err := reader.Close(); err != nil {
		panic(err)
	}
}
