import {z} from 'zod';

export const pageLimitMax = 500;

/** Query of every list: a cursor from the page before, and how many. */
export const pageQuerySchema = z.strictObject({
	cursor: z.string().max(512).optional(),
	limit: z.coerce.number().int().min(1).max(pageLimitMax).default(100),
});

/** Answer of every list. `nextCursor` is absent on the last page. */
export const pageOf = <Item extends z.ZodType>(
	item: Item,
): z.ZodObject<{items: z.ZodArray<Item>; nextCursor: z.ZodOptional<z.ZodString>; total: z.ZodOptional<z.ZodNumber>}> =>
	z.object({items: z.array(item), nextCursor: z.string().optional(), total: z.number().optional()});
