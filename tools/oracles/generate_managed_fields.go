package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

var managedGrammar = Grammar{
	Depth: 9,
	Rules: map[string][]string{
		"deployment": {`{"metadata": <meta>, "spec": {"replicas": <n>}}`, `{"metadata": <meta>, "spec": {"replicas": <n>, "selector": {"matchLabels": <map>}, "template": {"metadata": {"labels": <map>}, "spec": <pod_spec>}}}`,
			`{"metadata": <meta>, "spec": {"strategy": {"type": "Recreate"}, "template": {"spec": <pod_spec>}}, "status": {"replicas": <n>}}`, `{"metadata": <meta>, "spec": {"paused": true, "template": {"spec": <pod_spec>}}}`,
			`{"metadata": <meta>, "spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": <intstr>}}}, "status": {"conditions": [{"type": "Available", "status": <word>}]}}`, `{"metadata": {"name": "x"}}`},
		"pod": {`{"metadata": {"name": "x"}}`, `{"metadata": <meta>, "spec": <pod_spec>}`, `{"metadata": <meta>, "spec": <pod_spec>, "status": <pod_status>}`, `{"metadata": {"name": "x"}, "status": <pod_status>}`},
		"pod_status": {`{"phase": "Running"}`, `{"phase": <word>, "conditions": [{"type": "Ready", "status": <word>}]}`, `{"conditions": [{"type": "Ready", "status": "True"}, {"type": <word>, "status": "False"}], "podIPs": [{"ip": <word>}], "hostIPs": [{"ip": "1"}]}`,
			`{"containerStatuses": [{"name": "main", "ready": true, "restartCount": <n>}]}`},
		"pod_spec": {"{}", `{"containers": <containers>}`, `{"containers": <containers>}`, `{"containers": <containers>, "volumes": <volumes>}`, `{"volumes": <volumes>}`, `{"nodeSelector": <map>, "containers": <containers>}`,
			`{"restartPolicy": <word>}`, `{"tolerations": [{"key": <word>}]}`, `{"imagePullSecrets": [{"name": <word>}, {"name": "s"}]}`, `{"hostAliases": [{"ip": "1.1.1.1", "hostnames": [<word>]}]}`,
			`{"initContainers": <containers>, "securityContext": {"fsGroup": <n>, "runAsUser": <n>}}`, `{"topologySpreadConstraints": [{"topologyKey": "zone", "whenUnsatisfiable": <word>, "maxSkew": <n>}]}`, `{"securityContext": {"sysctls": [{"name": "a", "value": <word>}]}}`},
		"containers": {"[]", "[<container>]", "[<container>]", `[{"name": "main", "image": <word>}, {"name": "side", "image": <word>}]`, `[{"name": "third"}, {"name": "side", "ports": <ports>}, {"name": "main"}]`},
		"container": {`{"name": "main"}`, `{"name": <name>, "image": <word>}`, `{"name": <name>, "image": <word>, "env": <env>}`, `{"name": <name>, "ports": <ports>}`, `{"name": <name>, "command": [<word>], "args": []}`,
			`{"name": <name>, "resources": {"limits": {"cpu": <quantity>}, "requests": <map>}}`, `{"name": <name>, "volumeMounts": [{"name": "v", "mountPath": <path>}]}`, `{"name": <name>, "securityContext": {"capabilities": {"add": [<word>]}}}`,
			`{"name": <name>, "livenessProbe": {"httpGet": {"port": <intstr>}}}`, `{"image": "unnamed"}`},
		"name":     {`"main"`, `"main"`, `"side"`, `"third"`},
		"path":     {`"/v"`, `"/w"`},
		"quantity": {`"1"`, `2`, `"1500m"`, `0.5`},
		"intstr":   {`1`, `"50%"`, `8080`},
		"env":      {"[]", `[{"name": "A", "value": <word>}]`, `[{"name": "B", "value": <word>}, {"name": "A"}]`, `[{"name": "C", "valueFrom": {"fieldRef": {"fieldPath": <word>}}}]`, `[{"name": "A", "value": "1"}, {"name": "B"}, {"name": "C", "value": <word>}]`},
		"ports": {"[]", `[{"containerPort": 80}]`, `[{"containerPort": 80, "protocol": "TCP", "name": <word>}]`, `[{"containerPort": 80, "protocol": "UDP"}, {"containerPort": 80, "protocol": "TCP"}]`, `[{"containerPort": 443, "name": <word>}, {"containerPort": 80}]`,
			`[{"protocol": "UDP"}]`},
		"volumes": {"[]", `[{"name": "v", "emptyDir": {}}]`, `[{"name": "v", "emptyDir": {"sizeLimit": <quantity>}}]`, `[{"name": "c", "configMap": {"name": <word>, "items": [{"key": "k", "path": <word>}]}}, {"name": "v"}]`, `[{"name": "c", "secret": {"secretName": <word>}}]`},
		"service": {`{"metadata": {"name": "x"}}`, `{"metadata": <meta>, "spec": {"ports": <service_ports>}}`, `{"metadata": <meta>, "spec": {"ports": <service_ports>, "selector": <map>}}`, `{"metadata": <meta>, "spec": {"type": <word>, "clusterIP": "None", "externalIPs": [<word>]}}`,
			`{"metadata": <meta>, "spec": {"selector": <map>}, "status": {"loadBalancer": {"ingress": [{"ip": <word>}]}}}`, `{"metadata": <meta>, "spec": {"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": <n>}}}, "status": {"conditions": [{"type": <word>, "status": "True"}]}}`},
		"service_ports": {"[]", `[{"port": 80}]`, `[{"port": 80, "targetPort": <intstr>, "name": <word>}]`, `[{"port": 80, "protocol": "UDP"}, {"port": 80, "protocol": "TCP", "name": <word>}]`, `[{"port": 443}, {"port": 80}]`},
		"job":           {`{"metadata": {"name": "x"}}`, `{"metadata": <meta>, "spec": {"template": {"spec": <pod_spec>}, "parallelism": <n>}}`, `{"metadata": <meta>, "spec": {"selector": {"matchLabels": <map>}, "template": {"metadata": <meta>}}, "status": {"conditions": [{"type": <word>}]}}`},
		"cronjob":       {`{"metadata": {"name": "x"}}`, `{"metadata": <meta>, "spec": {"schedule": <word>, "jobTemplate": {"spec": {"template": {"spec": <pod_spec>}}}}}`, `{"metadata": <meta>, "spec": {"schedule": "", "suspend": true}, "status": {"active": [{"name": <word>}]}}`},
		"role":          {`{"metadata": {"name": "x"}}`, `{"metadata": <meta>, "rules": [{"verbs": [<word>]}]}`, `{"metadata": <meta>, "rules": []}`},
		"persistentvolume": {`{"metadata": {"name": "x"}}`, `{"metadata": <meta>, "spec": {"capacity": {"storage": <quantity>}, "claimRef": {"name": <word>, "namespace": <word>}}}`, `{"metadata": <meta>, "spec": {"accessModes": <words>, "claimRef": {"uid": <word>}, "hostPath": {"path": <path>}}, "status": {"phase": <word>}}`,
			`{"metadata": <meta>, "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchFields": [{"key": <word>, "operator": "In"}]}]}}, "mountOptions": <words>}}`},
		"configmap": {`{"metadata": {"name": "x"}}`, `{"metadata": <meta>, "data": <map>}`, `{"metadata": <meta>, "data": <map>, "immutable": true}`, `{"metadata": <meta>, "binaryData": <map>}`, `{"metadata": <meta>}`, `{"metadata": <meta>, "data": {"key": <word>, "<&>": <word>}}`},
		"widget":    {`{"metadata": {"name": "x"}}`, `{"metadata": <meta>, "spec": <any>}`, `{"metadata": <meta>, "spec": <any>, "status": <any>}`, `{"metadata": <meta>, "spec": {"a": <any>, "b": <any>}}`, `{"metadata": <meta>, "x": <any>}`, `{"metadata": {"name": "x"}, "spec": {"a": {"b": <any>, "c": <any>}}}`},
		"any":       {"1", "2.5", "true", `"x"`, "null", "{}", "[]", `{"a": <any>}`, `{"a": <any>, "b": <any>}`, `{"b": {"c": <any>}}`, `[<any>]`, `[<any>, 2]`, `"y"`, "1.0"},
		"gadget":    {`{"metadata": {"name": "x"}}`, `{"metadata": <meta>, "spec": <gadget_spec>}`, `{"metadata": <meta>, "spec": <gadget_spec>}`, `{"metadata": <meta>, "spec": <gadget_spec>, "status": <gadget_status>}`, `{"metadata": {"name": "x"}, "status": <gadget_status>}`},
		"gadget_spec": {"{}", `{"size": <n>}`, `{"size": <n>, "on": true, "color": <word>}`, `{"colors": <words>, "numbers": <numbers>}`, `{"colors": <words>, "parts": <parts>}`, `{"parts": <parts>}`, `{"parts": <parts>, "labels": <map>}`, `{"rgb": {"r": <n>, "g": <n>}}`,
			`{"rgb": {"r": <n>}, "steps": [{"do": <word>}]}`, `{"groups": {"g": {"a": <word>}, "h": {"b": {"c": <word>}}}}`, `{"groups": {"g": {"b": {}}}, "frozen": <words>}`, `{"free": <any>, "port": <intstr>}`, `{"free": {"a": <any>, "b": <any>}}`,
			`{"half": {"known": {"x": <word>}, "other": <any>}}`, `{"half": {"known": {"x": <word>, "y": 1}}}`, `{"anything": <any>}`, `{"color": null, "labels": null, "colors": null, "size": <n>}`, `{"numbers": <numbers>, "parts": <parts>, "anything": <any>}`},
		"gadget_status": {"{}", `{"phase": <word>}`, `{"conditions": [{"type": <word>, "status": <word>}]}`, `{"phase": <word>, "conditions": [{"type": "x", "status": "y"}, {"type": "z", "status": <word>}]}`},
		"words":         {"[]", `["x"]`, `["y", "x"]`, `["x", "y", "z"]`, `["z", "w"]`},
		"numbers":       {"[]", "[1]", "[2, 1.0]", "[3, 1, 20000000]", "[1.5, 2]"},
		"parts":         {"[]", "[<part>]", "[<part>]", `[{"name": "p"}, {"name": "p", "side": "right", "weight": <weight>}]`, `[{"name": "q", "tags": <map>}, {"name": "p", "side": "left"}]`, `[{"name": "r"}, {"name": "q"}, {"name": "p"}]`},
		"part":          {`{"name": "p"}`, `{"name": "p", "weight": <weight>}`, `{"name": "q", "tags": <map>}`, `{"name": "p", "side": "left", "pieces": [{"id": <n>, "note": <word>}]}`, `{"name": "q", "pieces": [{"id": 1}, {"id": 20000000, "note": <word>}]}`, `{"side": "right"}`, `{"weight": <weight>}`},
		"weight":        {"1", "1.5", "2.0"},
		"meta": {`{"name": "x"}`, `{"name": "x"}`, `{"name": "x", "labels": <map>}`, `{"name": "x", "annotations": <map>}`, `{"name": "x", "namespace": "default", "labels": <map>, "annotations": <map>}`, `{"name": "x", "finalizers": <words>}`,
			`{"name": "x", "labels": <map>, "finalizers": <words>}`, `{"name": "x", "ownerReferences": [{"uid": "u1", "name": <word>}]}`, `{"name": "x", "ownerReferences": [{"uid": "u1", "name": "o"}, {"uid": "u2", "name": <word>, "controller": true}]}`},
		"map":  {"{}", `{"a": <word>}`, `{"a": <word>, "b": <word>}`, `{"b": <word>, "c": "1"}`, `{"c": <word>}`},
		"word": {`"x"`, `"y"`, `"z"`, `"1"`},
		"n":    {"1", "2", "3"},
	},
}

// spoiled has one thing in it that its type does not have, or none.
func spoiled(r *rand.Rand, kind string, object map[string]any) {
	bad := map[string][]string{
		"Deployment": {`{"spec": {"replicas": "3"}}`, `{"spec": {"replica": 3}}`, `{"spec": {"paused": 1}}`, `{"spec": {"template": {"spec": {"containers": [{"name": "main", "image": 1}]}}}}`, `{"spec": {"template": {"spec": {"containers": {}}}}}`, `{"spec": []}`,
			`{"spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}}}`, `{"spec": {"template": {"spec": {"containers": [null]}}}}`},
		"Pod":       {`{"spec": {"nodeName": {"a": [1, "b", null, true, 1.5]}}}`, `{"spec": {"containers": ["a"]}}`, `{"spec": {"tolerations": [{"ky": "x"}]}}`, `{"metadata": {"labels": {"a": 1}}}`, `{"status": {"startTime": {"a": 1}}}`, `{"spec": {"hostNetwork": "yes"}}`},
		"Service":   {`{"spec": {"ports": [{"port": 80}, {"protocol": "TCP", "port": 80}]}}`, `{"spec": {"selector": ["a"]}}`, `{"spec": {"externalIPs": ["a", 1]}}`, `{"metadata": {"nam": "x"}}`},
		"ConfigMap": {`{"data": {"a": {"b": 1}}}`, `{"immutable": "x"}`, `{"data": "x"}`},
		"Gadget": {`{"spec": {"parts": [{"weight": 1}, {"name": 1}]}}`, `{"spec": {"colors": [["x"]]}}`, `{"spec": {"colors": [{}]}}`, `{"spec": {"colors": ["x", null]}}`, `{"spec": {"numbers": [1, 1.0]}}`, `{"spec": {"rgb": {"b": 1}}}`, `{"spec": {"parts": [{"name": "p", "pieces": [{"note": "x"}]}]}}`,
			`{"spec": {"on": [true, {"a": "b"}]}}`, `{"spec": {"steps": [{"do": 1}]}}`},
		"Job": {`{"spec": {"parallelism": [1]}}`}, "CronJob": {`{"spec": {"schedule": 1}}`}, "Role": {`{"rules": {}}`}, "PersistentVolume": {`{"spec": {"claimRef": {"kid": "x"}}}`},
		"Widget": {`{"kind": "Other"}`, `{"apiVersion": "example.com/v2"}`, `{"metadata": {"managedFields": []}}`},
	}
	maps.Copy(object, overlay(object, decodeObject([]byte(pick(r, bad[kind])))))
}

// overlay has all of b, and what a has beside it in objects.
func overlay(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	for name, value := range b {
		x, isMap := out[name].(map[string]any)
		y, alsoMap := value.(map[string]any)
		if isMap && alsoMap {
			out[name] = overlay(x, y)
		} else {
			out[name] = value
		}
	}
	return out
}

// mix takes parts of both, member by member and element by element.
func mix(r *rand.Rand, a, b any) any {
	x, isMap := a.(map[string]any)
	y, alsoMap := b.(map[string]any)
	if isMap && alsoMap {
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(overlay(x, y))) {
			ours, has := x[name]
			theirs, alsoHas := y[name]
			switch {
			case has && alsoHas:
				out[name] = mix(r, ours, theirs)
			case has && r.IntN(5) > 0:
				out[name] = ours
			case alsoHas && r.IntN(2) > 0:
				out[name] = theirs
			}
		}
		return out
	}
	list, isList := a.([]any)
	if isList && len(list) > 1 && r.IntN(4) == 0 {
		list = slices.Clone(list)
		at := r.IntN(len(list))
		return slices.Delete(list, at, at+1)
	}
	if r.IntN(2) == 0 {
		return a
	}
	return b
}

// writing is a sequence of requests to one object.
type writing struct {
	r    *rand.Rand
	kind string
	// live is what the last request has made; nil before the first.
	live    map[string]any
	configs map[string]map[string]any
	minutes int
	// crowd is how many managers there are.
	crowd int
}

func (s *writing) fresh() map[string]any {
	gvk := managedKinds[s.kind].gvk
	object := decodeObject([]byte(managedGrammar.generate(s.r, strings.ToLower(s.kind))))
	object["apiVersion"], object["kind"] = gvk.GroupVersion().String(), gvk.Kind
	return object
}

func (s *writing) manager() string {
	if s.crowd > 0 {
		return fmt.Sprintf("m%d", s.r.IntN(s.crowd))
	}
	return pick(s.r, []string{"kubectl", "kubectl", "a", "a", "b", "c", "kubectl-client-side-apply", "<&>", ""})
}

// next is a request: an application or an update.
func (s *writing) next() write {
	r := s.r
	w := write{kind: s.kind, manager: s.manager(), live: s.live, time: time.Date(2020, 1, 1, 0, s.minutes, 0, 0, time.UTC)}
	s.minutes += 1 + r.IntN(3) // always later: the library has the clock of the machine
	if r.IntN(4) == 0 && managedKinds[s.kind].status {
		w.subresource = "status"
	}
	if w.apply = r.IntN(2) == 0 && (s.crowd == 0 || r.IntN(4) == 0); w.apply {
		w.force = r.IntN(4) == 0
		w.object = s.config(w.manager)
		if r.IntN(rarely/2) == 0 {
			spoiled(r, s.kind, w.object)
		}
	} else {
		w.object = s.update()
		if s.crowd > 0 { // each with something of its own, so that there are more of them than the original keeps
			w.object = overlay(w.object, map[string]any{"metadata": map[string]any{"annotations": map[string]any{w.manager: fmt.Sprint(s.minutes)}}})
		}
	}
	return w
}

// config is one that the manager applies: much of what it has applied last.
func (s *writing) config(manager string) map[string]any {
	config := s.fresh()
	if last := s.configs[manager]; last != nil && s.r.IntN(3) > 0 {
		config = mix(s.r, last, config).(map[string]any)
	} else if s.live != nil && s.r.IntN(4) == 0 {
		config = mix(s.r, config, s.live).(map[string]any)
	}
	s.envelope(config)
	metadata := config["metadata"].(map[string]any)
	for _, name := range []string{"managedFields", "uid"} {
		delete(metadata, name)
	}
	if s.configs == nil {
		s.configs = map[string]map[string]any{}
	}
	s.configs[manager] = config
	return decodeObject(marshal(config))
}

// update is what the live object is to be.
func (s *writing) update() map[string]any {
	object := s.fresh()
	if s.live == nil {
		s.annotate(object)
		return object
	}
	managers := s.live["metadata"].(map[string]any)["managedFields"]
	object = mix(s.r, s.live, object).(map[string]any)
	s.envelope(object)
	metadata := object["metadata"].(map[string]any)
	metadata["uid"] = "u"
	delete(metadata, "managedFields")
	switch s.r.IntN(40) {
	case 0:
		metadata["managedFields"] = []any{}
	case 1:
		metadata["managedFields"] = []any{map[string]any{}}
	case 2:
		metadata["managedFields"] = decodeList(pick(s.r, []string{
			`[{"manager": "x", "operation": "Update", "apiVersion": "v1"}]`,
			`[{"manager": "x", "operation": "Update", "apiVersion": "` + object["apiVersion"].(string) + `", "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}}]`,
			`[{"manager": "x", "operation": "Apply", "apiVersion": "` + object["apiVersion"].(string) + `", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {".": {}, "f:rgb": {".": {}, "f:r": {}}, "f:selector": {"f:matchLabels": {"f:a": {}}}, "f:a": {"f:b": {}}}}}]`,
			`[{"manager": "x", "operation": "Delete", "apiVersion": "v1", "fieldsType": "FieldsV1"}]`,
		}))
	default:
		if managers != nil && s.r.IntN(2) == 0 {
			metadata["managedFields"] = managers
		}
	}
	return decodeObject(marshal(object))
}

func decodeList(text string) (list []any) {
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		panic(err)
	}
	return list
}

// annotate has the object say, now and then, that kubectl has applied it without --server-side.
func (s *writing) annotate(object map[string]any) {
	if s.r.IntN(3) > 0 {
		return
	}
	applied := string(marshal(mix(s.r, object, s.fresh()))) + "\n"
	metadata := object["metadata"].(map[string]any)
	annotations, ok := metadata["annotations"].(map[string]any)
	if !ok {
		annotations = map[string]any{}
		metadata["annotations"] = annotations
	}
	annotations[lastApplied] = applied
}

// envelope puts back what mix may have taken.
func (s *writing) envelope(object map[string]any) {
	gvk := managedKinds[s.kind].gvk
	object["apiVersion"], object["kind"] = gvk.GroupVersion().String(), gvk.Kind
	metadata, ok := object["metadata"].(map[string]any)
	if !ok {
		metadata = map[string]any{}
		object["metadata"] = metadata
	}
	metadata["name"] = "x"
}

// row is a request without its result.
func (w write) row() Row {
	row := Row{{"in", marshal(w.object)}, textField("kind", w.kind), textField("manager", w.manager), textField("time", w.time.Format(time.RFC3339))}
	if w.apply {
		row = append(row, Field{"apply", yes})
	}
	if w.force {
		row = append(row, Field{"force", yes})
	}
	if w.subresource != "" {
		row = append(row, textField("subresource", w.subresource))
	}
	if w.live != nil {
		row = append(row, Field{"with", marshal(w.live)})
	}
	return row
}

// generateManagedFields gives the last of some requests to an object.
func generateManagedFields(r *rand.Rand) Row {
	s := writing{r: r, kind: pick(r, slices.Sorted(maps.Keys(managedKinds)))}
	steps := r.IntN(7)
	if r.IntN(12) == 0 {
		s.crowd, steps = 16, 10+r.IntN(30)
	}
	if r.IntN(10) == 0 { // an object of which nobody is known to be a manager
		s.live = s.fresh()
		s.annotate(s.live)
		s.live["metadata"].(map[string]any)["uid"] = "u"
	}
	for range steps {
		object, err := s.next().run()
		if err != nil {
			continue
		}
		s.live = decodeObject(marshal(object))
		s.live["metadata"].(map[string]any)["uid"] = "u"
	}
	return s.next().row()
}
