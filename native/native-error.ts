/**
 * What the addons throw and what their wrappers throw for arguments that make no sense. `native` knows nothing of the
 * TypeScript above it, so it has its own base; `code` is what callers look at, as everywhere.
 */
export class NativeError<Code extends string = string> extends Error {
	readonly code: Code;

	constructor(code: Code, message: string, cause?: unknown) {
		super(message, cause === undefined ? undefined : {cause});
		this.name = 'NativeError';
		this.code = code;
	}
}
