import test from 'ava';
import {signallingUris} from '#appliance/contract/gateway-session.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {createSignallingStore} from '#stb/receive/signalling-store.ts';

const objectBaseUri = 'http://dvb.gw/streamverse/';
const title = (id: string) => ({
	...{id, kind: 'vod', name: id},
	manifests: [{uri: `${objectBaseUri}vod/${id}/master.m3u8`, contentType: 'application/vnd.apple.mpegurl'}],
});
const documentOf = (uri: string, text: string) => ({uri, contentType: 'text/plain', bytes: Buffer.from(text)});

test('titles are kept when a later list cannot be read', (t) => {
	const store = createSignallingStore({objectBaseUri, logger: silentLogger()});
	const uri = `${objectBaseUri}signalling/titles.json`;
	store.take(documentOf(uri, JSON.stringify({version: 1, titles: [title('a'), title('b')]})));
	t.deepEqual(
		store.titles().map(({id}) => id),
		['a', 'b'],
	);
	store.take(documentOf(uri, '{"version": 1, "titles": 7'));
	t.deepEqual(
		store.titles().map(({id}) => id),
		['a', 'b'],
	);
});

test('a bootstrap that is no XML changes nothing, and unknown documents are kept up to a limit', (t) => {
	const store = createSignallingStore({objectBaseUri, logger: silentLogger()});
	store.take(documentOf(signallingUris.bootstrap, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'));
	t.is(store.bootstrap, undefined);
	for (let index = 0; index < 200; index += 1) {
		store.take(documentOf(`urn:${index}`, 'x'));
	}
	t.is(store.document('urn:1')?.bytes.toString(), 'x');
	t.is(store.document('urn:150'), undefined);
});
