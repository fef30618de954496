#!/usr/bin/env bash
# Builds the wheel, installs it alone in a clean environment outside the repository, and runs it from there.
# An editable install sees files that a wheel may have left out; this does not.
set -euo pipefail
python=$(realpath -s "${1:?usage: wheel_check.sh PYTHON}")
here=$(pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$python" -m build --wheel --no-isolation --outdir "$place" "$here" >"$place/build.log" || { cat "$place/build.log"; exit 1; }
"$python" -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -q --disable-pip-version-check "$place"/*.whl
cd "$place"
bin="$place/venv/bin"
"$bin/python" - <<'PY'
import importlib.util, sys
heavy = [name for name in ("torch", "ray", "vllm", "transformers") if importlib.util.find_spec(name)]
sys.exit(f"a plain install must stay light, but it brought {heavy}" if heavy else 0)
PY
"$bin/biorlhf" plugins
"$bin/biorlhf" recipes
for name in $("$bin/biorlhf" recipes | cut -d: -f1); do
    "$bin/biorlhf" recipes "$name"
    "$bin/biorlhf" validate "$name.yaml"
done
echo '{"id": "a", "prompt": "How many DEGs does HU cause in soleus?", "response": "6,425 DEGs. Confidence: 90%", "ground_truth": {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}]}}' >in.jsonl
"$bin/biorlhf" score in.jsonl --out out.jsonl
cat out.jsonl
# A new plugin of each kind is written from the templates in the wheel; one of them is built, installed and used.
for kind in verifier dataset trainer evaluator; do
    "$bin/biorlhf" plugins new "$kind" "new_$kind" --folder new
done
"$python" -m build --wheel --no-isolation --outdir built new/new_verifier >build.log || { cat build.log; exit 1; }
"$bin/python" -m pip install -q --disable-pip-version-check --no-deps built/*.whl
echo '{"id": "a", "prompt": "Which tissue?", "response": "The soleus.", "ground_truth": {"answer": "soleus"}}' >in.jsonl
"$bin/biorlhf" score in.jsonl --out out.jsonl --verifiers new_verifier
grep -q '"reward": *1.0' out.jsonl
echo "wheel: ok"
