// Verifies receipts by npm's @sigstore/verify: node verify.cjs PACKAGES KEY (origin+id+base64) FILE …
// Its parts that read a checkpoint and an inclusion proof are called as its verifier of bundles calls them; the rest of
// a bundle (certificates, Rekor's own kinds of entry) has no counterpart in this log.
const { createPublicKey } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const [packages, vkey, ...files] = process.argv.slice(2);
const parts = join(packages, "node_modules", "@sigstore", "verify", "dist", "tlog");
const { verifyCheckpoint } = require(join(parts, "checkpoint.js"));
const { verifyMerkleInclusion } = require(join(parts, "merkle.js"));

const [origin, id, material] = vkey.split("+");
const raw = Buffer.from(material, "base64").subarray(1);
const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]); // RFC 8410, Ed25519
const tlogs = [
  {
    logID: Buffer.from(id, "hex"),
    baseURL: origin,
    publicKey: createPublicKey({ key: spki, format: "der", type: "spki" }),
  },
];

function entryOf(receipt) {
  const split = receipt.indexOf("\n\n");
  const [header, extra, index, ...hashes] = receipt.slice(0, split).split("\n");
  if (header !== "c2sp.org/tlog-proof@v1") throw new Error("not a receipt");
  return {
    canonicalizedBody: Buffer.from(extra.slice("extra ".length), "base64"),
    inclusionProof: {
      logIndex: index.slice("index ".length),
      hashes: hashes.map((one) => Buffer.from(one, "base64")),
      checkpoint: { envelope: receipt.slice(split + 2) },
    },
  };
}

for (const file of files) {
  let verdict = "accepted";
  try {
    const entry = entryOf(readFileSync(file, "utf8"));
    verifyMerkleInclusion(entry, verifyCheckpoint(entry, tlogs));
  } catch (error) {
    verdict = `refused: ${error.message}`;
  }
  console.log(verdict);
}
