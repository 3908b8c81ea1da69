package receiver

import (
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// maxRanges is how many stretches beyond up_to one receipt names, lowest first:
// it must stay below 64 KiB. The others follow when the lower ones have closed.
const maxRanges = 500

// maxRejected is how many rejections one receipt has.
const maxRejected = 100

// receipt is the text of a receipt.
type receipt struct {
	Gateway  string      `json:"gateway"`
	Epoch    string      `json:"epoch"`
	Lane     string      `json:"lane"`
	Consumer string      `json:"consumer"`
	Stage    string      `json:"stage"`
	UpTo     uint64      `json:"up_to"`
	Ranges   [][2]uint64 `json:"ranges,omitempty"`
	Hash     string      `json:"hash,omitempty"`
	Rejected []rejection `json:"rejected,omitempty"`
}

// answer is the receipt for a lane as it is on the disk.
func answer(consumer string, l *laneFile, rejected []rejection) (receipt, error) {
	r := receipt{
		Gateway: l.gateway, Epoch: l.epoch, Lane: l.lane, Consumer: consumer, Stage: "stored",
		UpTo: l.held.upTo(), Ranges: l.held.beyond(maxRanges), Rejected: rejected,
	}
	if r.UpTo == 0 {
		return r, nil
	}
	last, err := l.get(r.UpTo)
	if err != nil {
		return r, err
	}
	r.Hash = hexSum(last)
	return r, nil
}

// bytes is the receipt as it is sent: a signed note, or bare JSON without a
// signer.
func (r receipt) bytes(signer note.Signer) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode receipt: %w", err)
	}
	if signer == nil {
		return text, nil
	}
	signed, err := note.Sign(&note.Note{Text: string(text) + "\n"}, signer)
	if err != nil {
		return nil, fmt.Errorf("sign receipt: %w", err)
	}
	return signed, nil
}
