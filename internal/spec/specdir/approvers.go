package specdir

// StoreApprovers puts an accepted list of approvers where a gateway reads it, its
// approvals beside it. The list comes last: until it is there, the one before
// stands, and approvals that are not its own are refused and say so.
func StoreApprovers(path string, p Pair) error {
	files := []struct {
		path string
		b    []byte
	}{{Approvals(path), p.Approvals}, {path, p.Document}}
	if len(p.Approvals) == 0 { // the first revision has none
		files = files[1:]
	}
	for _, f := range files {
		if err := replace(f.path, 0o644, func() ([]byte, error) { return f.b, nil }); err != nil {
			return err
		}
	}
	return nil
}
