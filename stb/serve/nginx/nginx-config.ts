import {contentTypesByExtension} from '#appliance/http/content-type-of.ts';
import {corsHeaders} from '#appliance/http/cors.ts';
import {playerCacheSeconds} from '#stb/serve/response-headers.ts';

export type NginxConfigFacts = {
	/** Everything of nginx's own lies here. */
	readonly directory: string;
	/** The cache's web tree. */
	readonly www: string;
	readonly accessLog: string;
	readonly host: string;
	readonly port: number;
	/** Of our own process, on loopback. */
	readonly upstreamPort: number;
	/** Of object URIs, with both slashes, for example `/streamverse/`. */
	readonly pathPrefix: string;
	/** Answered with 204, so that readiness is not taken from another program on this port. */
	readonly readyPath: string;
	/**
	 * Of each connection's socket; undefined leaves it to the kernel's auto-tuning. A buffer that takes a whole segment
	 * saves a wake-up for every piece of it; one that the kernel cuts to its own maximum costs more than it saves.
	 */
	readonly sendBufferBytes?: number | undefined;
	/** Workers of a master started as root would become another user, who may not read the cache. */
	readonly asRoot: boolean;
};

/** Players of one home; beyond it nginx closes idle keep-alive connections first. */
const connectionsMax = 1024;
/** Two cores of four send; the others receive and show the picture. */
const workers = 2;
/** How late the cache learns of uses, and the look-ahead of a segment. */
export const logFlushMs = 500;

const quoted = (text: string): string => `"${text.replaceAll(/["\\$]/gu, (character) => `\\${character}`)}"`;

/**
 * nginx as the data plane. It answers alone only what needs no decision: a GET or HEAD of at most one range for an object
 * that stands in the web tree, whose validators (if any) are in the form that it writes itself. Everything else is ours:
 * misses, what is arriving, stale manifests, several ranges (nginx does not coalesce them), tags in digest form.
 *
 * There is no open_file_cache: it would serve a replaced or purged object for its validity (stb/README.md).
 */
export const nginxConfig = (facts: NginxConfigFacts): string => `${facts.asRoot ? 'user root;\n' : ''}daemon off;
worker_processes ${workers};
pid ${quoted(`${facts.directory}/nginx.pid`)};
error_log stderr warn;
events { worker_connections ${connectionsMax}; }
http {
	default_type application/octet-stream;
${typesBlock()}
	sendfile on;
	tcp_nopush on;
	tcp_nodelay on;
	etag on;
	if_modified_since off;
	server_tokens off;
	keepalive_timeout 30s;
	keepalive_requests 1000000;
	client_header_timeout 10s;
	client_max_body_size 1m;
	send_timeout 300s;
	reset_timedout_connection on;
	access_log off;
	log_format use '$msec $uri';
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
	.map((name) => `	${name}_temp_path ${quoted(`${facts.directory}/temporary`)};`)
	.join('\n')}
	map $http_range $several { default ""; "" ""; "~," several; }
	map "$request_method:$several$http_if_none_match$http_if_range$http_if_match$http_if_unmodified_since" $mine {
		default "/.ours";
		"GET:" $uri;
		"HEAD:" $uri;
		"~^(?:GET|HEAD):\\"[0-9a-f]{1,8}-[0-9a-f]{1,14}\\"$" $uri;
	}
	upstream ours { server 127.0.0.1:${facts.upstreamPort} max_fails=0; keepalive 32; }
	server {
		listen ${facts.host.includes(':') ? `[${facts.host}]` : facts.host}:${facts.port} default_server${facts.sendBufferBytes === undefined ? '' : ` sndbuf=${facts.sendBufferBytes}`};
		server_name _;
		location = ${facts.readyPath} { return 204; }
		location ${facts.pathPrefix} {
			root ${quoted(facts.www)};
			try_files $mine @ours;
			access_log ${quoted(facts.accessLog)} use buffer=64k flush=${logFlushMs}ms;
${headerLines()}
		}
${ownLocations(facts.pathPrefix)}
		location @ours {
			proxy_pass http://ours;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $http_host;
			proxy_set_header X-Forwarded-For $remote_addr;
			proxy_buffering off;
			proxy_next_upstream off;
			proxy_connect_timeout 2s;
			proxy_read_timeout 300s;
		}
	}
}
`;

/** What is never an object's; where the operator's prefix is the root itself, the box's own paths are taken out of it. */
const ownLocations = (pathPrefix: string): string =>
	(pathPrefix === '/' ? ['= /', '/box/'] : ['/'])
		.map((path) => `		location ${path} { try_files /.ours @ours; }`)
		.join('\n');

const typesBlock = (): string => {
	const lines = Object.entries(contentTypesByExtension()).map(
		([extension, type]) => `		${quoted(type)} ${extension.slice(1)};`,
	);
	return `	types {\n${lines.join('\n')}\n	}`;
};

/** As stb/serve/object-handler.ts answers a hit. A file's time is a content stamp, hence no Last-Modified. */
const headerLines = (): string =>
	Object.entries({
		...corsHeaders,
		'X-Content-Type-Options': 'nosniff',
		'Cache-Control': `max-age=${playerCacheSeconds}`,
		'Streamverse-Source': 'cache',
		'Last-Modified': '',
	})
		.map(([name, value]) => `			add_header ${name} ${quoted(value)};`)
		.join('\n');
