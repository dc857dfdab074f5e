import type {FleetStatus, ServiceStatus, SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';

const refreshSeconds = 2;

const escapes: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/gu, (character) => escapes[character] ?? '');

const secondsText = (durationMs: number): string => {
	const seconds = Math.max(0, Math.round(durationMs / 1000));
	return seconds < 120
		? `${seconds} s`
		: seconds < 7200
			? `${Math.round(seconds / 60)} min`
			: `${Math.round(seconds / 3600)} h`;
};

/** Only http addresses become links: what a service tells is not trusted with more. */
const endpointText = ([name, url]: readonly [string, string]): string =>
	/^https?:\/\//u.test(url)
		? `<a href="${escapeHtml(url)}">${escapeHtml(name)}</a>`
		: `${escapeHtml(name)}: ${escapeHtml(url)}`;

const serviceRow = (service: ServiceStatus, nowMs: number): string => `
<tr class="${service.state}"><th>${escapeHtml(service.name)}</th>
<td>${service.crashLoop ? 'crash loop' : service.state} since ${secondsText(nowMs - service.sinceMs)}</td>
<td>${service.restarts}</td><td>${service.pid ?? ''}</td>
<td>${Object.entries(service.endpoints).map(endpointText).join(' · ')}</td>
<td>${escapeHtml(service.statusText ?? (service.lastFailure === undefined ? '' : `last failure: ${service.lastFailure.text}`))}</td></tr>`;

const fleetText = ({enrolled, connected, sinceMs, reason, update}: FleetStatus, nowMs: number): string =>
	[
		enrolled ? 'enrolled' : `not enrolled${reason === undefined ? '' : ` (${reason})`}`,
		`${connected ? 'connected' : 'not connected'} since ${secondsText(nowMs - sinceMs)}`,
		...(update === undefined || update.phase === 'idle' ? [] : [`update ${update.release ?? ''} ${update.phase}`]),
	].join(' · ');

/** A page for the person beside the box: no script, refreshes itself. */
export const renderStatusPage = (status: SupervisorStatus): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="${refreshSeconds}">
<meta name="viewport" content="width=device-width"><title>${escapeHtml(status.box.id)}</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .8rem;border-bottom:1px solid #8884}
.verdict{display:inline-block;padding:.2rem .8rem;border-radius:1rem;color:#fff;background:#a11}
.verdict.healthy{background:#161}tr.running th{color:#282}tr.waiting th,tr.stopping th{color:#a11}
</style></head><body>
<h1>${escapeHtml(status.box.id)} <small>${status.box.kind}</small></h1>
<p><span class="verdict${status.healthy ? ' healthy' : ''}">${status.healthy ? 'healthy' : 'not healthy'}</span>
 up ${secondsText(status.nowMs - status.startedMs)} · release ${escapeHtml(status.software.release)} · Node ${escapeHtml(status.software.node)}</p>
${status.fleet === undefined ? '' : `<p>fleet: ${escapeHtml(fleetText(status.fleet, status.nowMs))}</p>`}
${status.reasons.map((reason) => `<p>${escapeHtml(reason)}</p>`).join('\n')}
<table><tr><th>service</th><th>state</th><th>restarts</th><th>pid</th><th>addresses</th><th></th></tr>
${status.services.map((service) => serviceRow(service, status.nowMs)).join('')}
</table>
<p><a href="/status">status</a> · <a href="/health">health</a> · <a href="/metrics">metrics</a></p>
</body></html>
`;
