"""The few lines that lie in every case's folder and say how to read it without this software."""

from __future__ import annotations

CASE_README = """MedSegAI correction journal, format 1
=====================================

What experts corrected in one segmentation. Nothing in here is ever changed or removed; it is only added to.

journal.jsonl   One entry a line, JSON, UTF-8, oldest first.
arrays/         Labels inside the box that an entry changed: NRRD, uint8, gzip. 3D Slicer opens them where they lie.
tables/         The names, colours and codes of the label values: JSON.
                Every file in these two folders is named by the SHA-256 of its content.
journal.lock    Empty; held while somebody writes.
journal.jsonl.torn-N   What a crash left of a line that was being written; not part of the journal.

An entry
--------
number, previous     Place in the journal, and hash of the entry before (empty for the first).
kind                 "base": the result that raters start from. "correction": one rater's word on it.
parent               Number of the entry that this one changes; null for a base.
rater, role, comment Free text.       time   ISO 8601, UTC.
status               "draft", "final", or "withdrawn": then the entry withdraws the one named as its parent.
started_from, result Digest of the labels before and after (see below).
model...             Name, version and weights' SHA-256 of the model behind the result; empty where there was none.
box                  [[k, j, i], [k, j, i]]: first voxel, and one past the last, that changed. Slowest axis first.
array, table         SHA-256 in arrays/ and tables/. No box, no array: the voxels are as in the parent.
grid                 Of the whole scan: shape (k, j, i); spacing, origin, direction (i, j, k order, LPS mm, as in ITK).
scan, provenance     Path and SHA-256 of the scan, and how a base was made; null where not known.
hash                 SHA-256 of the line without ',"hash":"..."' (the closing brace stays). Always the last member.

The labels after an entry
-------------------------
Follow "parent" back to a base. Begin with zeros of the grid's shape. Then, from the base on, replace the voxels inside
each entry's box by its array. The table of the last entry names the values.

Digest of labels: SHA-256 of the lines "MedSegAI labels 1", the shape "K J I", and the keys of all labels that have
voxels, sorted, each line ended by a line feed; then the voxels as bytes, k slowest, each the place of its label's key
in that list, from 1, or 0 for background.

The chain of hashes shows that an entry was changed, taken out or put in. It cannot show that the last entries were cut
off: keep a note of the last hash elsewhere if that matters.
"""
