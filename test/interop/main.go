// Command interop checks a running ledger from outside with none of this repository's code: it knows C2SP
// tlog-tiles, tlog-checkpoint and signed-note through golang.org/x/mod/sumdb alone, the code of Go's own
// checksum database.
//
//	go run . [-stride 1] <base URL of a ledger> <verifier key>
//
// It opens the checkpoint with the key, reads every entry bundle and hashes every entry, reads every hash tile
// through tlog.TileHashReader (which believes no tile that does not hash to the signed root), compares the two, and
// derives and checks proofs: inclusion of every stride-th entry and of the last, consistency from several sizes.
// It prints what it derived as JSON and exits with 0; anything that does not hold is a sentence and exit code 1.
// DEEDBOX_API_KEY is sent as bearer token, if it is set.
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight is fixed by C2SP tlog-tiles: 256 hashes, or 256 entries, to a file.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	// 256 entries of 65,535 bytes, each with two bytes of length.
	maxResource = tileWidth * (2 + 65535)
)

type inclusion struct {
	Index int64       `json:"index"`
	Leaf  tlog.Hash   `json:"leaf"`
	Proof []tlog.Hash `json:"proof"`
}

type consistency struct {
	From  int64       `json:"from"`
	Root  tlog.Hash   `json:"root"`
	Proof []tlog.Hash `json:"proof"`
}

type report struct {
	Origin      string        `json:"origin"`
	Size        int64         `json:"size"`
	Root        tlog.Hash     `json:"root"`
	Entries     int           `json:"entries"`
	Bytes       int64         `json:"bytes"`
	Tiles       int           `json:"tiles"`
	Inclusion   []inclusion   `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
}

func main() {
	stride := flag.Int64("stride", 1, "prove the inclusion of each `n`-th entry")
	flag.Parse()
	if flag.NArg() != 2 || *stride < 1 {
		fmt.Fprintln(os.Stderr, "usage: interop [-stride n] <base URL of a ledger> <verifier key>")
		os.Exit(2)
	}
	log := &remoteLog{base: strings.TrimSuffix(flag.Arg(0), "/"), tiles: map[tlog.Tile][]byte{}}
	found, err := check(log, flag.Arg(1), *stride)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func check(log *remoteLog, vkey string, stride int64) (*report, error) {
	origin, tree, err := openCheckpoint(log, vkey)
	if err != nil {
		return nil, err
	}
	if tree.N == 0 {
		return nil, errors.New("the log is empty, so nothing was checked")
	}
	leaves, bytes, err := hashEntries(log, tree.N)
	if err != nil {
		return nil, err
	}
	own, err := hashesOf(leaves)
	if err != nil {
		return nil, err
	}
	if root, err := tlog.TreeHash(tree.N, own); err != nil || root != tree.Hash {
		return nil, fmt.Errorf("the %d entries hash to %v, the checkpoint says %v (%v)", tree.N, root, tree.Hash, err)
	}
	reader := tlog.TileHashReader(tree, log)
	if err := compareTiles(reader, leaves); err != nil {
		return nil, err
	}
	found := &report{Origin: origin, Size: tree.N, Root: tree.Hash, Entries: len(leaves), Bytes: bytes}
	if found.Inclusion, err = proveEntries(reader, tree, leaves, stride); err != nil {
		return nil, err
	}
	if found.Consistency, err = proveSizes(reader, tree, own); err != nil {
		return nil, err
	}
	found.Tiles = len(log.tiles)
	return found, nil
}

// openCheckpoint reads the three lines of C2SP tlog-checkpoint; extension lines would be more, and are refused.
func openCheckpoint(log *remoteLog, vkey string) (string, tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", tlog.Tree{}, fmt.Errorf("the verifier key: %w", err)
	}
	text, err := log.get("checkpoint")
	if err != nil {
		return "", tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return "", tlog.Tree{}, fmt.Errorf("the checkpoint: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return "", tlog.Tree{}, fmt.Errorf("the checkpoint is not three lines of the log %s: %q", verifier.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return "", tlog.Tree{}, fmt.Errorf("the checkpoint's size is %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return "", tlog.Tree{}, fmt.Errorf("the checkpoint's root: %w", err)
	}
	return lines[0], tlog.Tree{N: size, Hash: root}, nil
}

// hashEntries reads every entry bundle of a tree of this size and hashes every entry (RFC 6962 §2.1).
func hashEntries(log *remoteLog, size int64) (leaves []tlog.Hash, bytes int64, err error) {
	for n := int64(0); n*tileWidth < size; n++ {
		width := min(size-n*tileWidth, tileWidth)
		bundle, err := log.get("tile/entries/" + position(n, width))
		if err != nil {
			return nil, 0, err
		}
		for i := int64(0); i < width; i++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return nil, 0, fmt.Errorf("entry bundle %d is cut short within its entry %d", n, i)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			leaves = append(leaves, tlog.RecordHash(bundle[2:end]))
			bytes += int64(end - 2)
			bundle = bundle[end:]
		}
		if len(bundle) > 0 {
			return nil, 0, fmt.Errorf("entry bundle %d goes on after its %d entries", n, width)
		}
	}
	return leaves, bytes, nil
}

// hashesOf has every hash of the tree over the leaves, none of it from the log's tiles.
func hashesOf(leaves []tlog.Hash) (tlog.HashReader, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for n, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(int64(n), leaf, reader)
		if err != nil {
			return nil, err
		}
		stored = append(stored, more...)
	}
	return reader, nil
}

// compareTiles reads the hash of every entry from the tiles; the reader takes those of all levels above into account.
func compareTiles(reader tlog.HashReader, leaves []tlog.Hash) error {
	for from := 0; from < len(leaves); from += tileWidth {
		wanted := leaves[from:min(from+tileWidth, len(leaves))]
		indexes := make([]int64, len(wanted))
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, int64(from+i))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			return fmt.Errorf("the tiles over the entries from %d on: %w", from, err)
		}
		if !slices.Equal(hashes, wanted) {
			return fmt.Errorf("the tiles over the entries from %d on are not of these entries", from)
		}
	}
	return nil
}

func proveEntries(reader tlog.HashReader, tree tlog.Tree, leaves []tlog.Hash, stride int64) ([]inclusion, error) {
	var proofs []inclusion
	for n := int64(0); n < tree.N; n++ {
		if n%stride != 0 && n != tree.N-1 {
			continue
		}
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", n, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaves[n]); err != nil {
			return nil, fmt.Errorf("entry %d: %w", n, err)
		}
		proofs = append(proofs, inclusion{Index: n, Leaf: leaves[n], Proof: append([]tlog.Hash{}, proof...)})
	}
	return proofs, nil
}

// proveSizes proves that the tree extends smaller ones, whose roots come from the entries alone.
func proveSizes(reader tlog.HashReader, tree tlog.Tree, own tlog.HashReader) ([]consistency, error) {
	sizes := []int64{1, 2, 3, 7, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537, tree.N / 2, tree.N - 1, tree.N}
	slices.Sort(sizes)
	var proofs []consistency
	for _, size := range slices.Compact(sizes) {
		if size < 1 || size > tree.N {
			continue
		}
		root, err := tlog.TreeHash(size, own)
		if err != nil {
			return nil, err
		}
		proof, err := tlog.ProveTree(tree.N, size, reader)
		if err != nil {
			return nil, fmt.Errorf("from size %d: %w", size, err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, size, root); err != nil {
			return nil, fmt.Errorf("from size %d: %w", size, err)
		}
		proofs = append(proofs, consistency{From: size, Root: root, Proof: append([]tlog.Hash{}, proof...)})
	}
	return proofs, nil
}

// remoteLog reads a log over HTTP. It is the tlog.TileReader: what it caches has been authenticated.
type remoteLog struct {
	base  string
	tiles map[tlog.Tile][]byte
}

func (l *remoteLog) Height() int { return tileHeight }

func (l *remoteLog) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		if known, ok := l.tiles[tile]; ok {
			data[i] = known
			continue
		}
		bytes, err := l.get(fmt.Sprintf("tile/%d/%s", tile.L, position(tile.N, int64(tile.W))))
		if err != nil {
			return nil, err
		}
		if len(bytes) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %d of level %d has %d bytes, not %d", tile.N, tile.L, len(bytes), tile.W*tlog.HashSize)
		}
		data[i] = bytes
	}
	return data, nil
}

func (l *remoteLog) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for i, tile := range tiles {
		l.tiles[tile] = data[i]
	}
}

var client = &http.Client{Timeout: 30 * time.Second}

func (l *remoteLog) get(path string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, l.base+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	if key := os.Getenv("DEEDBOX_API_KEY"); key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResource))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", path, response.Status, body)
	}
	return body, nil
}

// position is where C2SP tlog-tiles puts tile or bundle n of this width: 1234067 is x001/x234/067.
func position(n, width int64) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < tileWidth {
		path = fmt.Sprintf("%s.p/%d", path, width)
	}
	return path
}
