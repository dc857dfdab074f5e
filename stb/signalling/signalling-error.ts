import {CodedError} from '#appliance/error/coded-error.ts';

export type SignallingErrorCode =
	/** Longer or more numerous than any sane announcement. */
	| 'STB_SIGNALLING_TOO_LARGE'
	/** A document that is not JSON, where JSON is expected; broken XML has codes of its own. */
	| 'STB_SIGNALLING_MALFORMED'
	/** Well-formed, but not the document that was expected. */
	| 'STB_SIGNALLING_UNEXPECTED'
	/** One entry of a document is broken; the others are good. */
	| 'STB_SIGNALLING_ENTRY_INVALID'
	/** One entry is right, and for a receiver that can do more. */
	| 'STB_SIGNALLING_ENTRY_UNSUPPORTED';

/** What was left out of a document's result, and why; for the log and the operator. */
export type SignallingProblem = {
	readonly code: SignallingErrorCode;
	/** The element or entry, for example `MulticastSession[2]`. */
	readonly where: string;
	readonly message: string;
};

/** A hostile document may have a million broken entries; this many are told of. */
export const problemsMax = 100;

export const signallingError = (
	code: SignallingErrorCode,
	message: string,
	details: Readonly<Record<string, unknown>> = {},
	cause?: unknown,
): CodedError<SignallingErrorCode> => new CodedError(code, {message, details, cause});

/** Collects problems up to the limit. */
export type ProblemList = {
	readonly add: (problem: SignallingProblem) => void;
	readonly all: () => readonly SignallingProblem[];
};

export const createProblemList = (): ProblemList => {
	const problems: SignallingProblem[] = [];
	return {
		add: (problem) => {
			if (problems.length < problemsMax) {
				problems.push(problem);
			}
		},
		all: () => problems,
	};
};
