import type {BulkLine, BulkRequest} from '#ota/contract/command-bulk-api.ts';
import {fetchApi} from '../state/request.ts';

/** A server that tells of no further box for so long is given up: it stops by itself when nobody listens. */
const silentMsMax = 30_000;

/** What the server tells of a bulk action, box by box, until its last line; aborting stops what is left. */
export async function* bulkLines(body: BulkRequest, signal: AbortSignal): AsyncGenerator<BulkLine, void, void> {
	const silent = new AbortController();
	let timer = setTimeout(() => silent.abort(), silentMsMax);
	try {
		const response = await fetchApi('POST', '/bulk-actions', {
			body,
			signal: AbortSignal.any([signal, silent.signal]),
			isGivenUp: () => signal.aborted,
		});
		const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
		let rest = '';
		for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
			clearTimeout(timer);
			timer = setTimeout(() => silent.abort(), silentMsMax);
			const lines = `${rest}${part.value}`.split('\n');
			rest = lines.pop() ?? '';
			for (const line of lines) {
				yield JSON.parse(line) as BulkLine;
			}
		}
	} finally {
		clearTimeout(timer);
	}
}
