import {createRequire} from 'node:module';
import type {NativeFluteSender} from './native-flute-sender.ts';

type FluteAddon = {
	readonly FluteSender: new (options: object) => NativeFluteSender;
};

/** The one importer of the addon; loading it starts nothing. */
export const fluteAddon = createRequire(import.meta.url)('../build/addons/flute.node') as FluteAddon;
