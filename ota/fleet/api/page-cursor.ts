import {z} from 'zod';
import {apiError} from '#ota/fleet/api/api-error.ts';

const cursorSchema = z.array(z.union([z.string().max(256), z.number(), z.null()])).max(4);
export type CursorValue = z.infer<typeof cursorSchema>[number];

/**
 * Where the next page begins: the sort columns of the last row, so that rows which come and go shift nothing. It opens
 * nothing that the caller may not read, hence it is not signed; its values go to the database as parameters only.
 */
export const encodeCursor = (values: readonly CursorValue[]): string =>
	Buffer.from(JSON.stringify(values)).toString('base64url');

/** The values of a cursor, as many as `encodeCursor` was given; undefined for the first page. */
export const decodeCursor = <const Schema extends z.ZodType>(
	cursor: string | undefined,
	schema: Schema,
): z.output<Schema> | undefined => {
	if (cursor === undefined) {
		return undefined;
	}
	try {
		return schema.parse(cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))));
	} catch (error) {
		throw apiError('OTA_API_CURSOR_INVALID', {
			status: 400,
			message: 'The cursor is not one that this list gave: begin at the first page.',
			errors: [{in: 'query', field: 'cursor', message: 'not a cursor of this list'}],
			cause: error,
		});
	}
};

/** A page from one row more than asked for: its presence tells that there is a next page. */
export const pageOfRows = <Row, Item>(
	rows: readonly Row[],
	options: {
		readonly limit: number;
		readonly toItem: (row: Row) => Item;
		readonly cursorOf: (row: Row) => readonly CursorValue[];
	},
): {items: Item[]; nextCursor?: string} => {
	const shown = rows.slice(0, options.limit);
	const last = shown.at(-1);
	return {
		items: shown.map(options.toItem),
		...(rows.length > options.limit && last !== undefined ? {nextCursor: encodeCursor(options.cursorOf(last))} : {}),
	};
};
