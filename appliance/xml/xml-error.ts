import {CodedError} from '#appliance/error/coded-error.ts';

export type XmlErrorCode =
	/** Longer, deeper or with more elements than any document that we read. */
	| 'APPLIANCE_XML_TOO_LARGE'
	/** Not well-formed, or it uses a construct that we refuse, such as a document type. */
	| 'APPLIANCE_XML_MALFORMED'
	/** Well-formed, but not the document that was expected. */
	| 'APPLIANCE_XML_UNEXPECTED';

export const xmlError = (
	code: XmlErrorCode,
	message: string,
	details: Readonly<Record<string, unknown>> = {},
	cause?: unknown,
): CodedError<XmlErrorCode> => new CodedError(code, {message, details, cause});
