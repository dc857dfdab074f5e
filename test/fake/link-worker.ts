import {parentPort} from 'node:worker_threads';
import {openDecapsulator, openEncapsulator} from '#native/link/link.ts';
import {sampleTransport} from '#test/helper/sample-link.ts';

/** Opens both threads and leaves them to whoever ends this worker. */
openEncapsulator({
	format: {kind: 'mpe', transport: sampleTransport},
	rate: {bits: 20_000_000, seconds: 1},
	inputs: [],
	output: {kind: 'bytes', onBytes: () => {}},
});
openDecapsulator({input: {kind: 'bytes'}, onDatagrams: () => {}});
parentPort?.postMessage('open');
