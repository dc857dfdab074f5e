import test from 'ava';
import {humanBytes, renderPage} from '#pop-node/repair/page.ts';

test('sizes are told in the unit that fits them', (t) => {
	t.deepEqual([0, 1, 1023, 1024, 1536, 100 * 1024 ** 3, 5 * 1024 ** 5].map(humanBytes), [
		'0 B',
		'1 B',
		'1023 B',
		'1 KiB',
		'1.5 KiB',
		'100 GiB',
		'5120 TiB',
	]);
});

test('the page tells of failures only when there are some, and what comes from outside is no markup', (t) => {
	const status = {
		version: 1,
		box: '<b>pop</b>',
		nowMs: 1,
		follow: {kind: 'waiting', failure: '<script>', attempt: 0},
		store: {known: 2, stored: 1, skipped: 0, bytes: 5, budgetBytes: 1024, evictions: 0},
		ingest: {active: 0, objects: 1, bytes: 5, failures: 0},
		requests: {requests: 1, bytes: 5, ranges: 0, refused: 0, limited: 1},
	} as const;
	const page = renderPage(status);
	t.notRegex(page, /failed|evicted|<script>|<b>pop/u);
	t.regex(page, /1 request turned away/u);
	t.regex(renderPage({...status, ingest: {...status.ingest, failures: 2}}), /2 attempts failed and tried again/u);
});
