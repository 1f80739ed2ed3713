/** `deedbox version-json --help`. */
export const versionJsonHelp: string = `Usage: deedbox version-json [--out <file>] [options]

The version object of Dockerflow, which a service shows at /__version__: where its source is, its version, the commit and
the CI job that built it. To be made where the image is built, and put beside package.json, or at /app/version.json.

  {
    "source": "https://github.com/acme/shop",
    "version": "v1.4.0",
    "commit": "52ce614fbf99540a1bf6228e36be6cef63b4d73b",
    "build": "https://github.com/acme/shop/actions/runs/2223"
  }

Each member is what an option says; else what the CI system says: GitHub Actions, CircleCI, GitLab CI, Taskcluster,
Jenkins, Buildkite, Azure Pipelines; else what git knows. The version is the tag of the commit, and blank without one;
build is blank outside CI. A remote by ssh becomes https, without user and password. Where the CI system says all, neither
git nor a repository is needed.

  --out <file>        write it there, instead of to the standard output
  --source <url>      the repository
  --version <text>    the version, for people
  --commit <hash>     the commit
  --build <url>       the CI job
  --help              this text

Exit codes: 0 done; 1 source or commit cannot be found out, or the file not written; 2 it was called wrongly.

Examples
  deedbox version-json --out version.json
  deedbox version-json | tee version.json
  deedbox version-json --version "$(node -p 'require("./package.json").version')" --out dist/version.json
`
