package panel

// who is a person as a signature is printed: name and id, or the id alone where
// the name is not known (21 CFR 11.50(a)(1) wants the printed name).
func who(name, id string) string {
	if name == "" || name == id {
		return id
	}
	return name + " (" + id + ")"
}

// AckedWho is who has acknowledged it, as printed.
func (a Alarm) AckedWho() string { return who(a.AckedName, a.AckedBy) }

// ShelvedWho is who has put it aside, as printed.
func (a Alarm) ShelvedWho() string { return who(a.ShelvedName, a.ShelvedBy) }

// Who is the person who said it, as printed.
func (c AlarmComment) Who() string { return who(c.Name, c.By) }
