// franz-go as its README writes a consumer: PollFetches in a loop. Commits are automatic.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	options := []kgo.Opt{
		kgo.SeedBrokers(os.Getenv("KAFKA_BOOTSTRAP_SERVERS")),
		kgo.ConsumerGroup(os.Getenv("KAFKA_GROUP_ID")),
		kgo.ConsumeTopics(os.Getenv("KAFKA_TOPIC")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	}
	if instance := os.Getenv("KAFKA_GROUP_INSTANCE_ID"); instance != "" {
		options = append(options, kgo.InstanceID(instance))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for count := 0; ; {
		fetches := client.PollFetches(context.Background())
		if errs := fetches.Errors(); len(errs) > 0 {
			panic(fmt.Sprint(errs))
		}
		for _, record := range fetches.Records() {
			fmt.Println(record.Partition, record.Offset)
			count++
			if count == 5 && os.Getenv("AFTER_FIVE") == "hang" {
				time.Sleep(time.Hour)
			}
			if count == 5 && os.Getenv("AFTER_FIVE") == "end" {
				return
			}
		}
	}
}
