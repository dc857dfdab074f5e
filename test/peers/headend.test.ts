import {randomBytes} from 'node:crypto';
import test from 'ava';
import {signallingUris} from '#appliance/contract/gateway-session.ts';
import {withHeadend} from '#test/helper/with-headend.ts';
import {withPeerReceiver} from './with-peer.ts';

const objects = {
	'vod/film/seg1.m4s': {contentType: 'video/iso.segment', bytes: randomBytes(1_234_567)},
	'vod/film/manifest.mpd': {
		contentType: 'application/dash+xml',
		bytes: Buffer.from(`<MPD>${'<S d="96000"/>'.repeat(400)}</MPD>`),
	},
} as const;

/** The receiver stores an object under its URL's path, which in a URN is all that follows the scheme. */
const pathOf = (uri: string): string => new URL(uri).pathname;

test('another receiver takes a catalogue from a running headend', async (t) => {
	const headend = await withHeadend(t, {sections: {carousel: {cycleMs: 5000}}});
	const {group, port} = headend.config.uplink;
	const peer = await withPeerReceiver(t, {group, port, interface: '127.0.0.1', dropEsi: []});
	for (const [path, {contentType, bytes}] of Object.entries(objects)) {
		const {status} = await fetch(`${headend.url}/catalogue/${path}`, {
			method: 'PUT',
			body: bytes,
			headers: {'Content-Type': contentType},
		});
		t.is(status, 201);
	}
	for (const [path, {bytes}] of Object.entries(objects)) {
		t.true((await peer.bytesOf(`/streamverse/${path}`)).equals(bytes), path);
	}
});

test('another receiver takes all signalling from the announcement channel', async (t) => {
	const headend = await withHeadend(t);
	const {group, port} = headend.config.uplink.announcement;
	const peer = await withPeerReceiver(t, {group, port, interface: '127.0.0.1', dropEsi: []});
	for (const uri of Object.values(signallingUris)) {
		t.true((await peer.bytesOf(pathOf(uri))).length > 0, uri);
	}
});

test('another receiver takes live segments from a running headend', async (t) => {
	const headend = await withHeadend(t);
	const {group, port} = headend.config.uplink;
	const peer = await withPeerReceiver(t, {group, port, interface: '127.0.0.1', dropEsi: []});
	for (const number of [1, 2, 3]) {
		const bytes = randomBytes(100_000 + number);
		const {ok} = await fetch(`${headend.url}/ingest/one/segment-${number}.m4s`, {method: 'PUT', body: bytes});
		t.true(ok);
		t.true((await peer.bytesOf(`/streamverse/live/one/segment-${number}.m4s`)).equals(bytes), String(number));
	}
});
