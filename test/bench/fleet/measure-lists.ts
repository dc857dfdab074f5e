import type {FleetClient} from '#demo/fleet/fleet-client.ts';

const asksPerQuery = 10;

/** What a person does with the box list: browse, sort, filter, search; each as the console asks it. */
const queries: readonly string[] = [
	'/boxes?limit=100',
	'/boxes?limit=100&sort=-lastSeenMs',
	'/boxes?limit=100&sort=release',
	`/boxes?limit=100&filter=${encodeURIComponent('kind = stb and release < 2.0.0')}`,
	`/boxes?limit=100&filter=${encodeURIComponent('tag = ring-3 and model = sv-stb-a75')}`,
	`/boxes?limit=100&filter=${encodeURIComponent('not presence = online')}&sort=-lastSeenMs`,
	`/boxes?limit=100&filter=${encodeURIComponent('099123')}`,
	'/overview',
];

/** Milliseconds of every answer, sorted, over HTTP. */
export const measureLists = async (ask: FleetClient): Promise<Float64Array> => {
	const times: number[] = [];
	for (let round = 0; round < asksPerQuery; round += 1) {
		for (const query of queries) {
			const startedMs = performance.now();
			await ask('GET', query);
			times.push(performance.now() - startedMs);
		}
	}
	return Float64Array.from(times).sort();
};
