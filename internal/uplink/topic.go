package uplink

import (
	"fmt"
	"strings"
)

// maxTopic is how long a whole topic may be. MQTT allows 65535 bytes, brokers
// and the systems behind them less.
const maxTopic = 200

// topics are the topics of one gateway.
type topics struct{ base string } // {prefix}andon/v1/{gateway}/

func newTopics(prefix, gateway string) (topics, error) {
	t := topics{base: prefix + "andon/v1/" + gateway + "/"}
	if strings.Contains(gateway, "/") {
		return t, fmt.Errorf("gateway id %q: has a slash", gateway)
	}
	if err := validTopic(t.base + "up"); err != nil {
		return t, fmt.Errorf("prefix %q and gateway id %q: %w", prefix, gateway, err)
	}
	return t, nil
}

func (t topics) up(kind string) string { return t.base + "up/" + kind }
func (t topics) receipt() string       { return t.base + "down/receipt" }

// validTopic refuses topics that some broker answers by closing the connection
// or by taking the message and losing it: wildcards, spaces, empty levels,
// leading $.
func validTopic(topic string) error {
	if len(topic) > maxTopic {
		return fmt.Errorf("topic of %d bytes: at most %d", len(topic), maxTopic)
	}
	for level := range strings.SplitSeq(topic, "/") {
		if level == "" {
			return fmt.Errorf("topic %q: has an empty level", topic)
		}
		for _, c := range level {
			if !topicRune(c) {
				return fmt.Errorf("topic %q: has %q; only A-Z a-z 0-9 _ - . are safe with every broker", topic, c)
			}
		}
	}
	return nil
}

func topicRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}

// sendable says why a message must not be sent to any broker, nil if it may.
func (t topics) sendable(m Message, maxPayload int) error {
	if err := validTopic(t.up(m.Topic)); err != nil {
		return err
	}
	switch n := len(m.Payload); {
	case n == 0:
		return fmt.Errorf("the message is empty")
	case n > maxPayload:
		return fmt.Errorf("the message has %d bytes: at most %d", n, maxPayload)
	}
	return nil
}
