package uaserver

import (
	"maps"
	"slices"
	"strings"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// maxNodesPerCall is the most nodes that one Read or Browse may name.
const maxNodesPerCall = 10000

// node finds a variable by its node id.
func (s *Server) node(n *ua.NodeID) *node {
	if n == nil || n.Namespace() != Namespace {
		return nil
	}
	return s.nodes[n.StringID()]
}

// standard is the id of a node of OPC UA's own namespace, or 0.
func standard(n *ua.NodeID) uint32 {
	if n == nil || n.Namespace() != 0 {
		return 0
	}
	return n.IntID()
}

func isCurrentTime(n *ua.NodeID) bool {
	return standard(n) == id.Server_ServerStatus_CurrentTime
}

func (s *Server) read(r *ua.ReadRequest) ua.Response {
	switch {
	case len(r.NodesToRead) == 0:
		return fault(r, ua.StatusBadNothingToDo)
	case len(r.NodesToRead) > maxNodesPerCall:
		return fault(r, ua.StatusBadTooManyOperations)
	case r.TimestampsToReturn >= ua.TimestampsToReturnInvalid:
		return fault(r, ua.StatusBadTimestampsToReturnInvalid)
	}
	at := now()
	results := make([]*ua.DataValue, len(r.NodesToRead))
	for i, n := range r.NodesToRead {
		var v *ua.DataValue
		if n.AttributeID == ua.AttributeIDValue && s.node(n.NodeID) != nil {
			v = s.node(n.NodeID).dataValue(at)
		} else {
			x, code := s.attribute(n)
			v = &ua.DataValue{Value: x, Status: code, ServerTimestamp: at}
			if n.AttributeID == ua.AttributeIDValue && code == ua.StatusOK {
				v.SourceTimestamp = at
			}
		}
		results[i] = stamped(v, r.TimestampsToReturn)
	}
	return &ua.ReadResponse{ResponseHeader: ok(r), Results: results, DiagnosticInfos: []*ua.DiagnosticInfo{}}
}

// attribute reads anything but a variable's value.
func (s *Server) attribute(r *ua.ReadValueID) (*ua.Variant, ua.StatusCode) {
	ref, ok := s.describe(r.NodeID)
	if !ok {
		return nil, ua.StatusBadNodeIDUnknown
	}
	var v any
	// The rest is for variables.
	//exhaustive:ignore
	switch r.AttributeID {
	case ua.AttributeIDNodeID:
		v = r.NodeID
	case ua.AttributeIDNodeClass:
		v = int32(ref.class)
	case ua.AttributeIDBrowseName:
		v = ref.qualifiedName()
	case ua.AttributeIDDisplayName:
		v = ua.NewLocalizedText(ref.name)
	default:
		v = s.variableAttribute(r, ref)
	}
	if v == nil {
		return nil, ua.StatusBadAttributeIDInvalid
	}
	return ua.MustVariant(v), ua.StatusOK
}

// variableAttribute reads what only variables have; nil for what there is not.
func (s *Server) variableAttribute(r *ua.ReadValueID, ref reference) any {
	if ref.class != ua.NodeClassVariable {
		return nil
	}
	// What is not offered is nil.
	//exhaustive:ignore
	switch r.AttributeID {
	case ua.AttributeIDValue:
		return s.standardValue(standard(r.NodeID))
	case ua.AttributeIDDataType:
		if n := s.node(r.NodeID); n != nil {
			return ua.NewNumericNodeID(0, uint32(n.Type))
		}
	case ua.AttributeIDValueRank:
		return int32(-1) // a scalar
	case ua.AttributeIDAccessLevel, ua.AttributeIDUserAccessLevel:
		return byte(1) // it can be read
	}
	return nil
}

// standardValue is the value of one of the server's own variables.
func (s *Server) standardValue(n uint32) any {
	switch n {
	case id.Server_ServerArray:
		return []string{s.application().ApplicationURI}
	case id.Server_NamespaceArray:
		return []string{"http://opcfoundation.org/UA/", s.application().ApplicationURI, s.opt.URI}
	case id.Server_ServiceLevel:
		return byte(255)
	case id.Server_ServerStatus_State:
		return int32(ua.ServerStateRunning)
	case id.Server_ServerStatus_StartTime:
		return s.started
	case id.Server_ServerStatus_CurrentTime:
		return now()
	case id.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall:
		return uint32(maxItemsPerCall)
	case id.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
		id.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse:
		return uint32(maxNodesPerCall)
	}
	return nil
}

// reference is a node as others refer to it.
type reference struct {
	id    *ua.NodeID
	name  string
	class ua.NodeClass
}

func (r reference) qualifiedName() *ua.QualifiedName {
	return &ua.QualifiedName{NamespaceIndex: r.id.Namespace(), Name: r.name}
}

// describe says what a node is.
func (s *Server) describe(n *ua.NodeID) (reference, bool) {
	if v := s.node(n); v != nil {
		return reference{n, v.Name, ua.NodeClassVariable}, true
	}
	if n != nil && n.Namespace() == Namespace {
		return reference{n, n.StringID(), ua.NodeClassObject}, slices.Contains(s.folders(), n.StringID())
	}
	switch i := standard(n); i {
	case id.RootFolder:
		return reference{n, "Root", ua.NodeClassObject}, true
	case id.ObjectsFolder:
		return reference{n, "Objects", ua.NodeClassObject}, true
	case id.Server:
		return reference{n, "Server", ua.NodeClassObject}, true
	default:
		_, name, _ := strings.Cut(id.Name(i), "_")
		return reference{n, name, ua.NodeClassVariable}, s.standardValue(i) != nil
	}
}

// folders are the objects that variables stand under, in order.
func (s *Server) folders() []string {
	names := make(map[string]struct{})
	for _, v := range s.opt.Variables {
		names[v.Folder] = struct{}{}
	}
	return slices.Sorted(maps.Keys(names))
}

// children are the nodes below a node: Root has Objects, Objects has the server
// and the folders, a folder has its variables.
func (s *Server) children(n *ua.NodeID) []reference {
	var out []reference
	switch standard(n) {
	case id.RootFolder:
		return []reference{{ua.NewNumericNodeID(0, id.ObjectsFolder), "Objects", ua.NodeClassObject}}
	case id.ObjectsFolder:
		out = append(out, reference{ua.NewNumericNodeID(0, id.Server), "Server", ua.NodeClassObject})
		for _, f := range s.folders() {
			out = append(out, reference{ua.NewStringNodeID(Namespace, f), f, ua.NodeClassObject})
		}
		return out
	}
	for _, v := range s.opt.Variables {
		if n.Namespace() == Namespace && n.StringID() == v.Folder {
			out = append(out, reference{ua.NewStringNodeID(Namespace, v.ID()), v.Name, ua.NodeClassVariable})
		}
	}
	return out
}

func (s *Server) browse(r *ua.BrowseRequest) ua.Response {
	if len(r.NodesToBrowse) == 0 {
		return fault(r, ua.StatusBadNothingToDo)
	}
	if len(r.NodesToBrowse) > maxNodesPerCall {
		return fault(r, ua.StatusBadTooManyOperations)
	}
	results := make([]*ua.BrowseResult, len(r.NodesToBrowse))
	for i, b := range r.NodesToBrowse {
		results[i] = s.browseOne(b)
	}
	return &ua.BrowseResponse{ResponseHeader: ok(r), Results: results, DiagnosticInfos: []*ua.DiagnosticInfo{}}
}

// browseOne lists the forward references of a node. The address space is small
// enough that no answer needs a continuation.
func (s *Server) browseOne(b *ua.BrowseDescription) *ua.BrowseResult {
	res := &ua.BrowseResult{References: []*ua.ReferenceDescription{}}
	if _, ok := s.describe(b.NodeID); !ok {
		res.StatusCode = ua.StatusBadNodeIDUnknown
		return res
	}
	if b.BrowseDirection == ua.BrowseDirectionInverse {
		return res
	}
	for _, c := range s.children(b.NodeID) {
		kind := uint32(id.Organizes)
		if c.class == ua.NodeClassVariable {
			kind = id.HasComponent
		}
		if !wanted(b, kind, c.class) {
			continue
		}
		res.References = append(res.References, &ua.ReferenceDescription{
			ReferenceTypeID: ua.NewNumericNodeID(0, kind),
			IsForward:       true,
			NodeID:          ua.NewExpandedNodeID(c.id, "", 0),
			BrowseName:      c.qualifiedName(),
			DisplayName:     ua.NewLocalizedText(c.name),
			NodeClass:       c.class,
			TypeDefinition:  typeDefinition(c.class),
		})
	}
	return res
}

// wanted applies the client's filters. Of the tree of reference types only what
// stands above those used here is known.
func wanted(b *ua.BrowseDescription, kind uint32, class ua.NodeClass) bool {
	if b.NodeClassMask != 0 && b.NodeClassMask&uint32(class) == 0 {
		return false
	}
	switch asked := standard(b.ReferenceTypeID); asked {
	case 0, kind:
		return true
	case id.References, id.HierarchicalReferences, id.HasChild, id.Aggregates:
		isChild := asked == id.HasChild || asked == id.Aggregates
		return b.IncludeSubtypes && (!isChild || kind == id.HasComponent)
	}
	return false
}

func typeDefinition(class ua.NodeClass) *ua.ExpandedNodeID {
	if class == ua.NodeClassVariable {
		return ua.NewNumericExpandedNodeID(0, id.BaseDataVariableType)
	}
	return ua.NewNumericExpandedNodeID(0, id.FolderType)
}
