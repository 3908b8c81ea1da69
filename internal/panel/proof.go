package panel

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/mod/sumdb/tlog"
)

// Tree is the record's tree (RFC 6962), of which each commit is a leaf.
type Tree interface {
	tlog.HashReader
	// Size is how many commits are durable. Hashes beyond it are not asked for.
	Size() int64
}

type proofInput struct {
	Size int64 `query:"size" minimum:"0" doc:"of the tree in which it is proved; none: as it stands"`
	Leaf int64 `query:"leaf" minimum:"-1" default:"-1" doc:"prove that this leaf, counted from 0, is in the tree: commit leaf + 1"`
	Old  int64 `query:"old" minimum:"0" doc:"instead of leaf: prove that the tree of this size is how this one began"`
}

// proofAnswer is the answer to GET journal/proof.
type proofAnswer struct {
	Size     int64    `json:"size"`
	Root     string   `json:"root" doc:"base64"`
	Leaf     *int64   `json:"leaf,omitempty" doc:"counted from 0"`
	LeafHash string   `json:"leaf_hash,omitempty" doc:"base64"`
	Old      int64    `json:"old,omitempty"`
	OldRoot  string   `json:"old_root,omitempty" doc:"base64"`
	Proof    []string `json:"proof" doc:"hashes in base64, in the order of RFC 6962: an audit path for a leaf, a consistency proof for old"`
}

func (p *Panel) routeProof(api huma.API) {
	get(api, "journal/proof", "Proof that a commit is in the record, or that an earlier record is its beginning (RFC 6962)", func(ctx context.Context, in *proofInput) (*answer[proofAnswer], error) {
		var a proofAnswer
		err := p.reading(ctx, func(context.Context) (err error) {
			a, err = prove(p.o.Gateway.Tree(), *in)
			return err
		})
		return &answer[proofAnswer]{a}, err
	})
}

// prove says what is wrong with the question, or answers it.
func prove(tree Tree, in proofInput) (proofAnswer, error) {
	size := tree.Size()
	if in.Size == 0 {
		in.Size = size
	}
	switch {
	case (in.Leaf >= 0) == (in.Old > 0):
		return proofAnswer{}, huma.Error422UnprocessableEntity("ask for one of two proofs: leaf (from 0), or old (from 1)")
	case in.Size > size || in.Leaf >= in.Size || in.Old > in.Size:
		return proofAnswer{}, huma.Error422UnprocessableEntity(fmt.Sprintf("the record has %d commits: leaf must be below size, old not above it, and size not above that", size))
	case in.Leaf >= 0:
		return proveLeaf(tree, in)
	}
	return proveOld(tree, in)
}

func proveLeaf(tree Tree, in proofInput) (proofAnswer, error) {
	a := proofAnswer{Size: in.Size, Leaf: &in.Leaf}
	path, err := tlog.ProveRecord(in.Size, in.Leaf, tree)
	if err != nil {
		return a, fmt.Errorf("prove leaf %d of %d: %w", in.Leaf, in.Size, err)
	}
	leaf, err := tree.ReadHashes([]int64{tlog.StoredHashIndex(0, in.Leaf)})
	if err != nil {
		return a, fmt.Errorf("read leaf %d: %w", in.Leaf, err)
	}
	a.LeafHash, a.Proof = leaf[0].String(), texts(path)
	a.Root, err = rootOf(tree, in.Size)
	return a, err
}

func proveOld(tree Tree, in proofInput) (a proofAnswer, err error) {
	a = proofAnswer{Size: in.Size, Old: in.Old}
	path, err := tlog.ProveTree(in.Size, in.Old, tree)
	if err != nil {
		return a, fmt.Errorf("prove size %d from %d: %w", in.Size, in.Old, err)
	}
	a.Proof = texts(path)
	if a.OldRoot, err = rootOf(tree, in.Old); err != nil {
		return a, err
	}
	a.Root, err = rootOf(tree, in.Size)
	return a, err
}

func rootOf(tree Tree, size int64) (string, error) {
	root, err := tlog.TreeHash(size, tree)
	if err != nil {
		return "", fmt.Errorf("root of the tree at size %d: %w", size, err)
	}
	return root.String(), nil
}

// texts are hashes in base64; none is an empty list.
func texts(hashes []tlog.Hash) []string {
	list := []string{}
	for _, h := range hashes {
		list = append(list, h.String())
	}
	return list
}
