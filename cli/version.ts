export { VERSION } from "../internal/version.ts";
