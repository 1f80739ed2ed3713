/** Where a server's programs are. */
export interface Installation {
  /** The folder of its programs. */
  readonly bin: string
  /** What stands for `/`: the folder that packages were unpacked in, else the machine's own. */
  readonly root: string
  /** What its programs need in their environment. */
  readonly env: NodeJS.ProcessEnv
  /** What runs them, where they are in an image. */
  readonly container?: Container
}

/** An image on this machine, and the program that runs it. */
export interface Container {
  readonly docker: string
  readonly image: string
  /** What programs are called in it, by their own names, where that differs. */
  readonly renamed: Readonly<Record<string, string>>
}

/** Who runs a server: `undefined` is whoever runs the tests. */
export interface Identity {
  readonly uid: number
  readonly gid: number
}

/** A server on its way to run. */
export interface Start {
  readonly installation: Installation
  /** A folder of the server's own. */
  readonly folder: string
  readonly port: number
  readonly identity: Identity | undefined
}

/** A program that Go builds from a module, which it downloads from the module proxy. */
export interface GoSource {
  readonly module: string
  /** Exactly this one: `v1.2.3`. */
  readonly version: string
  /** The program's package in the module: `./cmd/server`. */
  readonly package: string
  /** Files that the module lacks and its build needs, by their path in it. */
  readonly files?: Readonly<Record<string, string>>
  /** What the linker sets: `main.version=v1.2.3`. */
  readonly linked?: string
  /**
   * A `pkg-config` that builds what the program needs beside Go: a module with its version. It takes Cargo and a C compiler.
   */
  readonly pkgConfig?: string
}

/** An official image of a server. */
export interface Image {
  /** With exactly one version: `redis:7.2.5`. */
  readonly name: string
  /** What the program is called in it. Default: as everywhere. */
  readonly program?: string
}

/** How one kind of server is had, prepared and started. One file for each. */
export interface ServerKind {
  readonly name: string
  /** The program to run. */
  readonly program: string
  /** What the program says when it is asked for its `version`, where servers of several kinds have the same one. */
  readonly version?: RegExp
  /** Where it may be beside `PATH`, below an installation's root; `*` stands for a version. The newest one wins. */
  readonly folders: readonly string[]
  /** The packages of Debian and Ubuntu that bring it, the first one that exists. */
  readonly packages: readonly string[]
  /** What it is built from where neither is there. */
  readonly source?: GoSource
  /** What it runs from, in a container, where nothing else is there and docker runs. */
  readonly image?: Image
  /** Whether it refuses to run as root. */
  readonly refusesRoot: boolean
  /** What it writes once it takes connections. */
  readonly ready: RegExp
  /** Ends it at once, and all that it started. */
  readonly end: NodeJS.Signals
  /** Ends it soon, with all that it has taken on disk. */
  readonly halt: NodeJS.Signals
  /** Makes an empty data folder. */
  prepare(start: Start): void
  args(start: Start): string[]
}
