import test from 'ava';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {renderStatusPage} from '#appliance/supervisor/status-page.ts';

test('what a service tells cannot become a part of the page', (t) => {
	const page = renderStatusPage({
		version: 1,
		box: {id: deviceIdSchema.parse('box-1'), kind: 'stb'},
		nowMs: 1000,
		startedMs: 0,
		healthy: false,
		reasons: ['<script>reason</script>'],
		software: {node: '24', release: '"><b>'},
		services: [
			{
				name: '<img src=x>',
				state: 'waiting',
				sinceMs: 0,
				restarts: 1,
				mustRun: true,
				crashLoop: true,
				statusText: "<i onclick='x'>",
				endpoints: {evil: 'javascript:alert(1)', good: 'http://127.0.0.1:1/"onclick="x'},
				outputTail: [],
			},
		],
	});
	t.notRegex(page, /<script|<img|<i |<b>|href="javascript/);
	t.notRegex(page, /"onclick="/);
	t.regex(page, /href="http:\/\/127\.0\.0\.1:1\/&quot;onclick/);
});
