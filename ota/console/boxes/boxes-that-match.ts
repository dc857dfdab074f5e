import type {BoxSummary} from '#ota/contract/box-api.ts';
import type {bulkBoxesMax} from '#ota/contract/command-bulk-api.ts';
import {request} from '../state/request.ts';

type Answered = {readonly items: readonly BoxSummary[]; readonly nextCursor?: string};

const pageBoxes = 500;
/** As many as one bulk action takes (`bulkBoxesMax`, a contract that the console imports as types only). */
const selectedMax: typeof bulkBoxesMax = 2000;

/** The ids of all boxes that a filter finds; refuses when they are too many to be acted upon one by one. */
export const boxesThatMatch = async (filter: string): Promise<readonly string[]> => {
	const ids: string[] = [];
	let cursor: string | undefined;
	do {
		const {body} = await request<Answered>('GET', '/boxes', {query: {filter, limit: pageBoxes, cursor}});
		ids.push(...body.items.map(({id}) => id));
		cursor = body.nextCursor;
		if (ids.length > selectedMax || (cursor !== undefined && ids.length === selectedMax)) {
			throw new Error(`More than ${selectedMax} boxes match: narrow the filter.`);
		}
	} while (cursor !== undefined);
	return ids;
};
