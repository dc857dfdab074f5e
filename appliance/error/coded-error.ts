export type CodedErrorOptions = {
	/** What happened and what the person who reads it can do. */
	readonly message: string;
	readonly cause?: unknown;
	/** Facts for the log and the caller, safe to show to an operator. */
	readonly details?: Readonly<Record<string, unknown>>;
	/** True when the same call may succeed later without anybody changing anything. */
	readonly retryable?: boolean;
};

/**
 * The one error base of the project: a literal `code` for machines, a message that says what a person can do,
 * and the original cause. Areas narrow `Code` to their own union in a code file of their own.
 */
export class CodedError<Code extends string = string> extends Error {
	readonly code: Code;
	readonly details: Readonly<Record<string, unknown>>;
	readonly retryable: boolean;

	constructor(code: Code, options: CodedErrorOptions) {
		super(options.message, options.cause === undefined ? undefined : {cause: options.cause});
		this.name = 'CodedError';
		this.code = code;
		this.details = options.details ?? {};
		this.retryable = options.retryable ?? false;
	}
}

/** The `code` of any error, ours or Node's; undefined for what carries none. */
export const errorCode = (error: unknown): string | undefined => {
	if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
		return error.code;
	}
	return undefined;
};

/** Narrows without losing foreign errors: callers rethrow when it answers false. */
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean => {
	const code = errorCode(error);
	return code !== undefined && codes.includes(code);
};

/** The message of anything thrown, for a log line or a page. */
export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));
