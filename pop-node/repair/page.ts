import type {PopNodeStatus} from '#pop-node/repair/status.ts';

const escapes: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};
const escapeHtml = (text: string): string => text.replace(/[&<>"]/gu, (character) => escapes[character] ?? '');

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export const humanBytes = (bytes: number): string => {
	const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
	const value = bytes / 1024 ** power;
	return `${power === 0 || Number.isInteger(value) ? value : value.toFixed(1)} ${units[power]}`;
};

const count = (number: number, one: string): string => `${number} ${one}${number === 1 ? '' : 's'}`;

const followLine = (follow: PopNodeStatus['follow']): string => {
	switch (follow.kind) {
		case 'syncing':
			return `reading the headend’s catalogue, ${follow.objects} objects so far`;
		case 'following':
			return `following the headend (revision ${follow.revision})`;
		case 'waiting':
			return `the headend cannot be reached (attempt ${follow.attempt + 1}): ${follow.failure}`;
	}
};

/** The page at `/`: what a person wants to know, in plain HTML that reloads itself and needs no script. */
export const renderPage = (status: PopNodeStatus): string => {
	const {store, ingest, requests} = status;
	const rows = [
		['Catalogue', followLine(status.follow)],
		[
			'Objects',
			`${store.stored} of ${store.known} here${store.skipped === 0 ? '' : `, ${store.skipped} have no room`}`,
		],
		[
			'Disk',
			`${humanBytes(store.bytes)} of ${humanBytes(store.budgetBytes)}${store.evictions === 0 ? '' : `, ${store.evictions} evicted`}`,
		],
		[
			'Downloads',
			`${ingest.active} now, ${ingest.objects} done (${humanBytes(ingest.bytes)})${ingest.failures === 0 ? '' : `, ${count(ingest.failures, 'attempt')} failed and tried again`}`,
		],
		['Requests', `${requests.requests} answered, ${requests.ranges} of them ranges, ${requests.refused} refused`],
		['Sent', humanBytes(requests.bytes)],
		['Rate limit', `${count(requests.limited, 'request')} turned away`],
	];
	const body = rows
		.map(([name = '', value = '']) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`)
		.join('\n');
	return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(status.box)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:46rem;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%}th{text-align:left;vertical-align:top;padding:.4rem 1.5rem .4rem 0;white-space:nowrap}
td{padding:.4rem 0}tr+tr{border-top:1px solid #8884}</style></head>
<body><h1>Pop-node ${escapeHtml(status.box)}</h1><table>
${body}
</table><p><a href="/status">status</a> · <a href="/metrics">metrics</a> · <a href="/health">health</a></p></body></html>
`;
};
