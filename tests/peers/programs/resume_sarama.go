// sarama as its example writes a consumer: MarkMessage after each message. Commits of what is marked are automatic.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/IBM/sarama"
)

type handler struct {
	count int
	end   context.CancelFunc
}

func (h *handler) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (h *handler) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h *handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			fmt.Println(message.Partition, message.Offset)
			h.count++
			if h.count == 5 && os.Getenv("AFTER_FIVE") == "hang" {
				time.Sleep(time.Hour)
			}
			session.MarkMessage(message, "")
			if h.count == 5 && os.Getenv("AFTER_FIVE") == "end" {
				h.end()
				return nil
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

func main() {
	config := sarama.NewConfig()
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	config.Consumer.Group.InstanceId = os.Getenv("KAFKA_GROUP_INSTANCE_ID")
	group, err := sarama.NewConsumerGroup([]string{os.Getenv("KAFKA_BOOTSTRAP_SERVERS")}, os.Getenv("KAFKA_GROUP_ID"), config)
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	consumer := &handler{end: cancel}
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{os.Getenv("KAFKA_TOPIC")}, consumer); err != nil {
			panic(err)
		}
	}
	if err := group.Close(); err != nil {
		panic(err)
	}
}
