// The other side of go-tools.test.ts: Go's own notes and Merkle trees (golang.org/x/mod/sumdb). It says for each of the
// things in its input whether Go accepts it, and makes the same things of the same hashes.
package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	Vkey, Origin string
	Leaves       []string
	// Signed notes.
	Checkpoints []string
	Inclusions  []struct{ Proof, Leaf string }
	Consistency []struct{ Old, Proof string }
}

type output struct {
	Vkey        string   `json:"vkey"`
	Checkpoints []string `json:"checkpoints"`
	Inclusions  []string `json:"inclusions"`
	Consistency []string `json:"consistency"`
	Verdicts    []string `json:"verdicts"`
}

// A tree whose leaves are hashes already.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		found[at] = h[index]
	}
	return found, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	var in input
	must(0, json.NewDecoder(os.Stdin).Decode(&in))
	verifiers := note.VerifierList(must(note.NewVerifier(in.Vkey)))
	var out output
	say := func(err error) {
		if err == nil {
			out.Verdicts = append(out.Verdicts, "yes")
		} else {
			out.Verdicts = append(out.Verdicts, err.Error())
		}
	}
	for _, checkpoint := range in.Checkpoints {
		_, err := open(checkpoint, verifiers, in.Origin)
		say(err)
	}
	for _, each := range in.Inclusions {
		say(checkInclusion(each.Proof, each.Leaf, verifiers, in.Origin))
	}
	for _, each := range in.Consistency {
		say(checkConsistency(each.Old, each.Proof, verifiers, in.Origin))
	}
	makeAll(in, &out)
	must(0, json.NewEncoder(os.Stdout).Encode(out))
}

func open(signed string, verifiers note.Verifiers, origin string) (tlog.Tree, error) {
	opened, err := note.Open([]byte(signed), verifiers)
	if err != nil {
		return tlog.Tree{}, err
	}
	rest, ok := strings.CutPrefix(opened.Text, origin+"\n")
	if !ok {
		return tlog.Tree{}, fmt.Errorf("another origin")
	}
	// Go's parser knows the one origin of its own database.
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

func checkInclusion(proof, leaf string, verifiers note.Verifiers, origin string) error {
	claim, checkpoint, _ := strings.Cut(proof, "\n\n")
	tree, err := open(checkpoint, verifiers, origin)
	if err != nil {
		return err
	}
	lines := strings.Split(claim, "\n")
	var index int64
	if _, err := fmt.Sscanf(lines[1], "index %d", &index); err != nil || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("no proof")
	}
	return tlog.CheckRecord(tlog.RecordProof(parse(lines[2:])), tree.N, tree.Hash, index, parse([]string{leaf})[0])
}

func checkConsistency(old, proof string, verifiers note.Verifiers, origin string) error {
	claim, checkpoint, _ := strings.Cut(proof, "\n\n")
	before, err := open(old, verifiers, origin)
	if err != nil {
		return err
	}
	after, err := open(checkpoint, verifiers, origin)
	if err != nil {
		return err
	}
	lines := strings.Split(claim, "\n")
	if lines[0] != fmt.Sprintf("old %d", before.N) {
		return fmt.Errorf("no proof")
	}
	return tlog.CheckTree(tlog.TreeProof(parse(lines[1:])), after.N, after.Hash, before.N, before.Hash)
}

func parse(lines []string) []tlog.Hash {
	parsed := []tlog.Hash{}
	for _, line := range lines {
		parsed = append(parsed, must(tlog.ParseHash(line)))
	}
	return parsed
}

// A checkpoint of every size, a proof of every leaf in the whole, and of every size.
func makeAll(in input, out *output) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "go.example/made")
	signer := must(note.NewSigner(must(skey, err)))
	out.Vkey = vkey
	var tree hashes
	for n, leaf := range parse(in.Leaves) {
		tree = append(tree, must(tlog.StoredHashesForRecordHash(int64(n), leaf, tree))...)
		root := must(tlog.TreeHash(int64(n+1), tree))
		text := fmt.Sprintf("%s\n%d\n%s\n", in.Origin, n+1, root)
		out.Checkpoints = append(out.Checkpoints, string(must(note.Sign(&note.Note{Text: text}, signer))))
	}
	size := int64(len(in.Leaves))
	whole := out.Checkpoints[size-1]
	for n := int64(0); n < size; n++ {
		record := must(tlog.ProveRecord(size, n, tree))
		first := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", n)
		out.Inclusions = append(out.Inclusions, first+format(record)+"\n"+whole)
		consistent := must(tlog.ProveTree(size, n+1, tree))
		out.Consistency = append(out.Consistency, fmt.Sprintf("old %d\n", n+1)+format(consistent)+"\n"+whole)
	}
}

func format(hashes []tlog.Hash) string {
	text := ""
	for _, hash := range hashes {
		text += base64.StdEncoding.EncodeToString(hash[:]) + "\n"
	}
	return text
}
