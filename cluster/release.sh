#!/usr/bin/env bash
# A release, as far as this machine: everything is checked and built, and the commit is tagged. Nothing is uploaded.
set -euo pipefail
python=$(realpath -s "${1:?usage: release.sh PYTHON}")
version=$("$python" -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')
fail() { echo "release: $*" >&2; exit 1; }
[ -z "$(git status --porcelain)" ] || fail "there are changes that are not committed"
[ -z "$(git tag --list "v$version")" ] || fail "the tag v$version exists: raise the version in pyproject.toml"
grep -q "^## $version\$" CHANGELOG.md || fail "CHANGELOG.md has no heading '## $version'"
grep -q "^version: $version\$" CITATION.cff || fail "CITATION.cff names another version than $version"
make lint wheel-check test
rm -rf dist
"$python" -m build --no-isolation --outdir dist .
git tag --annotate "v$version" --message "biorlhf $version"
echo "built: $(ls dist)"
echo "tagged: v$version. To publish: git push origin v$version, and upload dist/ with twine."
