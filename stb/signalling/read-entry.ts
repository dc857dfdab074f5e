import {z} from 'zod';
import type {ProblemList} from '#stb/signalling/signalling-error.ts';

/** Checks one entry of a document; a broken one is told of and left out, so that it never costs the others. */
export const readEntry = <Schema extends z.ZodType>(
	schema: Schema,
	raw: unknown,
	{where, problems}: {readonly where: string; readonly problems: ProblemList},
): z.output<Schema> | undefined => {
	const result = schema.safeParse(raw);
	if (result.success) {
		return result.data;
	}
	problems.add({code: 'STB_SIGNALLING_ENTRY_INVALID', where, message: z.prettifyError(result.error).slice(0, 500)});
	return undefined;
};
