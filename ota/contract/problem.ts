import {z} from 'zod';

/** Media type of every refusal (RFC 9457 section 3). */
export const problemContentType = 'application/problem+json';

/** What is wrong with one field: where it stands, its path in dots, and what to do. */
export const fieldProblemSchema = z.object({
	in: z.enum(['path', 'query', 'body', 'header']),
	field: z.string(),
	message: z.string(),
});
export type FieldProblem = z.infer<typeof fieldProblemSchema>;

/** Every answer of 4xx and 5xx (RFC 9457 section 3.1). `code` is for machines, `title` for people. */
export const problemSchema = z.object({
	type: z.string(),
	status: z.int().min(400).max(599),
	code: z.string(),
	title: z.string(),
	/** Which fields were refused, when it was the request's content. */
	errors: z.array(fieldProblemSchema).optional(),
	/** With 429: also in the header Retry-After. */
	retryAfterSeconds: z.int().optional(),
});
export type Problem = z.infer<typeof problemSchema>;
