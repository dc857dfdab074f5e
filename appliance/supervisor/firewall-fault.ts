import {readFileSync} from 'node:fs';
import {hasCode} from '#appliance/error/coded-error.ts';

/**
 * Why this box does not answer as it should, for people; undefined when its firewall's rules hold, or it has none. A note that
 * cannot be read is one (image/profile/base/overlay/usr/lib/streamverse/bin/close-firewall).
 */
export const readFirewallFault = (runDirectory = '/run/streamverse'): string | undefined => {
	try {
		const isClosed = readFileSync(`${runDirectory}/firewall-failed`, 'utf8').trim() === 'closed';
		return `the firewall’s rules cannot be loaded: ${isClosed ? 'nobody in the home is answered' : 'every port is open'}`;
	} catch (error) {
		return hasCode(error, 'ENOENT') ? undefined : 'the firewall’s rules cannot be loaded';
	}
};
