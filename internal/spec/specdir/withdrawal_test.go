package specdir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWithdrawals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "odd [name]*")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, revision := range []string{"B", "A"} {
		path, err := StoreWithdrawal(dir, "S", revision, []byte("note "+revision))
		if err != nil || path != WithdrawalOf(dir, "S", revision) {
			t.Fatal(path, err)
		}
	}
	if err := os.Mkdir(WithdrawalOf(dir, "S", "C"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, Document(dir, "S", "A"), []byte("a document is none"))
	list, err := Withdrawals(dir)
	if err == nil || !strings.Contains(err.Error(), "S.C.withdrawal") {
		t.Errorf("what cannot be read: %v", err)
	}
	if len(list) != 2 || string(list[0].Note) != "note A" || string(list[1].Note) != "note B" {
		t.Errorf("%q", list)
	}
}

func TestStoreApprovers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "approvers.yaml")
	for _, p := range []Pair{{Document: []byte("one")}, {Document: []byte("two"), Approvals: []byte("notes")}} {
		if err := StoreApprovers(path, p); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil || string(got.Document) != string(p.Document) || string(got.Approvals) != string(p.Approvals) {
			t.Errorf("%q %q %v", got.Document, got.Approvals, err)
		}
	}
}
