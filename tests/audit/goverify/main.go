// Command goverify checks an exported log with Go's own packages: the note, every entry, an older head.
//
//	goverify TREE VKEYFILE [OLDCHECKPOINT]
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(5)
	}
}

// head opens a checkpoint: origin, size, root.
func head(path string, verifier note.Verifier) tlog.Tree {
	data, err := os.ReadFile(path)
	check(err)
	opened, err := note.Open(data, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		check(fmt.Errorf("malformed checkpoint"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

var height = regexp.MustCompile(`^tile/8/`)

// tiles reads C2SP tiles, whose paths leave out the height that x/mod's have.
type tiles struct{ root string }

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, one := range wanted {
		path := height.ReplaceAllString(one.Path(), "tile/")
		data, err := os.ReadFile(filepath.Join(t.root, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads all entry bundles.
func entries(root string, size int64) [][]byte {
	var all [][]byte
	for first := int64(0); first < size; first += 256 {
		width := int(size - first)
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: width}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(root, path))
		check(err)
		for i := 0; i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				check(fmt.Errorf("%s ends early", path))
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:end])
			data = data[end:]
		}
		if len(data) != 0 {
			check(fmt.Errorf("%s is too long", path))
		}
	}
	return all
}

func main() {
	root := os.Args[1]
	key, err := os.ReadFile(os.Args[2])
	check(err)
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	check(err)
	tree := head(filepath.Join(root, "checkpoint"), verifier)
	reader := tlog.TileHashReader(tree, tiles{root})
	all := entries(root, tree.N)
	var places []int64
	for i := range all {
		places = append(places, tlog.StoredHashIndex(0, int64(i)))
	}
	hashes, err := reader.ReadHashes(places)
	check(err)
	for i, entry := range all {
		if tlog.RecordHash(entry) != hashes[i] {
			check(fmt.Errorf("entry %d is another", i))
		}
	}
	for _, i := range []int64{0, tree.N / 2, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, i, reader)
		check(err)
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, i, hashes[i]))
	}
	if len(os.Args) > 3 {
		old := head(os.Args[3], verifier)
		proof, err := tlog.ProveTree(tree.N, old.N, reader)
		check(err)
		check(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
	}
	fmt.Printf("verified %d\n", tree.N)
}
