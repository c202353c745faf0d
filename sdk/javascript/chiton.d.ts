/** What makes a script a tool: `import { tool } from "chiton"`. */
declare module "chiton" {
  /** What a call may do. A right whose effect is not declared is not given. */
  export type Effect =
    | "reads-files" | "writes-files" | "uses-network" | "runs-programs"
    | "sends-messages" | "schedules" | "spawns" | "destructive";

  /** A JSON Schema of one parameter. One without `default` is required, unless it is `optional`. */
  export interface Parameter {
    type?: string | string[];
    description?: string;
    default?: unknown;
    optional?: boolean;
    enum?: unknown[];
    [keyword: string]: unknown;
  }

  export interface About {
    /** `[a-zA-Z0-9_-]`, 1 to 64 characters. */
    name: string;
    /** What it does and when to use it. */
    description: string;
    /** The parameters by name, or a whole JSON Schema with `type: "object"`. None if absent. */
    parameters?: Record<string, Parameter> | ({ type: "object" } & Record<string, unknown>);
    /** None if absent. */
    effects?: Effect[];
  }

  /** A picture (`image/...`) or any other file. */
  export interface Blob {
    mime: string;
    data: ArrayBufferView;
  }

  /** Text as it is, a blob, a list with blobs in it as parts, and everything else as JSON. */
  export type Result = unknown;

  /** Declares a tool; at the top of the script only. */
  export function tool<Arguments = any>(about: About, handler: (given: Arguments) => Result | Promise<Result>): void;
  /** Shows the user one line about how far the call is. */
  export function progress(text: string): void;
  /** Text that stands for a granted secret where its grant allows: the host puts the value in its place. */
  export function secret(name: string): string;
  /** Lines for the owner, which the model never sees. `console` writes there too. */
  export const log: Record<"debug" | "info" | "warn" | "error", (...values: unknown[]) => void>;

  /** The arguments make no sense. */
  export class InvalidArguments extends Error {}
  /** A right is missing; the message is the grant, such as `files=/home/ann/notes:read`. */
  export class Denied extends Error {}
  /** What the call names does not exist. */
  export class NotFound extends Error {}
  /** Something did not come in time. */
  export class TimedOut extends Error {}
  /** Anything else, without the place in the script. */
  export class Failed extends Error {}
}
