import {loadAddon} from '../load-addon.ts';
import type {NativeFluteReceiver} from './native-flute-receiver.ts';
import type {NativeFluteSender} from './native-flute-sender.ts';

type FluteAddon = {
	readonly FluteReceiver: new (options: object) => NativeFluteReceiver;
	readonly FluteSender: new (options: object) => NativeFluteSender;
};

/** The one importer of the addon; loading it starts nothing. */
export const fluteAddon = loadAddon('flute') as FluteAddon;
