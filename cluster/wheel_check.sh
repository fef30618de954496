#!/usr/bin/env bash
# Builds the wheel, installs it alone in a clean environment outside the repository, and runs it from there.
# An editable install sees files that a wheel may have left out; this does not. PYTHONS names further interpreters
# (3.12, 3.13) that the light package is tried with: PYTHONS="python3.12 python3.13" make wheel-check
set -euo pipefail
python=$(realpath -s "${1:?usage: wheel_check.sh PYTHON}")
here=$(pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$python" -m build --wheel --no-isolation --outdir "$place" "$here" >"$place/build.log" || { cat "$place/build.log"; exit 1; }

check() {
    local venv="$place/venv-$1"
    "$2" -m venv "$venv"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check "$place"/*.whl
    mkdir "$place/$1"
    cd "$place/$1"
    local bin="$venv/bin"
    "$bin/python" - <<'PY'
import importlib.util, sys
heavy = [name for name in ("torch", "ray", "vllm", "transformers", "plotly") if importlib.util.find_spec(name)]
sys.exit(f"a plain install must stay light, but it brought {heavy}" if heavy else 0)
PY
    "$bin/biorlhf" --version
    "$bin/biorlhf" plugins
    "$bin/biorlhf" recipes
    for name in $("$bin/biorlhf" recipes | cut -d: -f1); do
        "$bin/biorlhf" recipes "$name"
        "$bin/biorlhf" validate "$name.yaml"
    done
    # What needs more than the light package says so in one line.
    if "$bin/biorlhf" run quickstart.yaml 2>error.txt; then echo "a run without torch"; exit 1; fi
    grep -q "is not installed: pip install 'biorlhf\[" error.txt || { cat error.txt; exit 1; }
    [ "$(wc -l <error.txt)" -le 2 ] || { cat error.txt; exit 1; }
    echo '{"id": "a", "prompt": "How many DEGs does HU cause in soleus?", "response": "6,425 DEGs. Confidence: 90%", "ground_truth": {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}]}}' >in.jsonl
    "$bin/biorlhf" score in.jsonl --out out.jsonl
    cat out.jsonl
    # A new plugin of each kind is written from the templates in the wheel; one of them is built, installed and used.
    for kind in verifier dataset trainer evaluator tracker; do
        "$bin/biorlhf" plugins new "$kind" "new_$kind" --folder new
    done
    "$python" -m build --wheel --no-isolation --outdir built new/new_verifier >build.log || { cat build.log; exit 1; }
    "$bin/python" -m pip install -q --disable-pip-version-check --no-deps built/*.whl
    echo '{"id": "a", "prompt": "Which tissue?", "response": "The soleus.", "ground_truth": {"answer": "soleus"}}' >in.jsonl
    "$bin/biorlhf" score in.jsonl --out out.jsonl --verifiers new_verifier
    grep -q '"reward": *1.0' out.jsonl
    # With the report's extra, the page's template must be in the wheel.
    "$bin/python" -c 'from importlib.resources import files
for name in ("reports/templates/report.html.j2", "serving/templates/chat.html"):
    assert (files("biorlhf") / name).is_file(), name'
    echo "wheel: ok with $("$bin/python" --version)"
}

number=0
for interpreter in "$python" ${PYTHONS:-}; do
    number=$((number + 1))
    check "$number" "$interpreter"
done
