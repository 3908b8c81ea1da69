package strictyaml

// TextForTest is the value as it was written.
func (n Node) TextForTest() string { return n.v.text }
