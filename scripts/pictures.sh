#!/usr/bin/env bash
# Draws what docs/pictures/ holds of reports again, from runs of their own: a few minutes on two cores.
#   scripts/pictures.sh [FOLDER]        FOLDER is docs/pictures unless it is given
# Needs target/release/phylon and Chromium (chromium, google-chrome) on the path; PNGs are made smaller where there is pngquant.
set -euo pipefail
cd "$(dirname "$0")/.."
pictures=$(realpath -m "${1:-docs/pictures}")
phylon=$PWD/target/release/phylon
for browser in chromium chromium-browser google-chrome google-chrome-stable ""; do
    command -v "$browser" >/dev/null && break
done
[[ -n $browser ]] || { echo "there is no Chromium on the path; try: apt-get install chromium" >&2 && exit 1; }
[[ -x $phylon ]] || { echo "there is no $phylon; try: cargo build --release" >&2 && exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$pictures"

# screenshot PAGE NAME WIDTH HEIGHT
screenshot() {
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --force-color-profile=srgb --user-data-dir="$work/browser" \
        --window-size="$3,$4" --screenshot="$pictures/$2.png" "file://$1" 2>/dev/null
    if command -v pngquant >/dev/null; then pngquant --force --ext .png 64 "$pictures/$2.png"; fi
    echo "$pictures/$2.png"
}
run() { "$phylon" "$@" --runs-dir "$work/runs" --quiet; }

run run configs/quickstart.toml
screenshot "$work/runs/quickstart/report.html" report-page 1000 1500
run sweep configs/quickstart.toml --name sweep --seeds 3 --set run.generations=200 --set es.population=64,128,256 --set es.sigma=0.03,0.1,0.3
screenshot "$work/runs/sweep/report.html" sweep 1000 1240
for unit in enu gru; do
    sed "s/unit.enu/unit.$unit/" configs/quickstart.toml >"$work/$unit.toml"
    run sweep "$work/$unit.toml" --name "$unit" --seeds 3 --set run.generations=300
done
"$phylon" compare "$work/runs/enu" "$work/runs/gru" --out "$work/compare.html" >/dev/null
screenshot "$work/compare.html" compare 1000 1020
run run configs/column-synapse.toml --name column --set search.simulations=200
screenshot "$work/runs/column/report.html" column-search 1000 1400
"$phylon" battery --controller positive --assay A --no-conditions --out "$work/battery" >/dev/null 2>&1
screenshot "$work/battery/battery.html" battery 1000 2200
