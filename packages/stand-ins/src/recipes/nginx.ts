import type { Recipe } from '../types.ts';

/** Like the originals: configuration in conf.d, pages in /usr/share/nginx/html, logs to the container's output. */
const mainConfig = (unprivileged: boolean): string => `worker_processes auto;
error_log /dev/stderr notice;
pid ${unprivileged ? '/tmp/nginx.pid' : '/run/nginx.pid'};
${unprivileged ? '' : 'user nginx;\n'}events {
    worker_connections 1024;
}
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /dev/stdout;
    sendfile on;
    keepalive_timeout 65;
    client_body_temp_path /tmp/client_temp;
    proxy_temp_path /tmp/proxy_temp;
    fastcgi_temp_path /tmp/fastcgi_temp;
    uwsgi_temp_path /tmp/uwsgi_temp;
    scgi_temp_path /tmp/scgi_temp;
    include /etc/nginx/conf.d/*.conf;
}
`;

const siteConfig = (port: number): string => `server {
    listen ${port};
    root /usr/share/nginx/html;
    index index.html;
}
`;

export function nginxRecipe(unprivileged: boolean): Recipe {
  const port = unprivileged ? 8080 : 80;
  return {
    kind: 'dockerfile',
    name: `${unprivileged ? 'nginx-unprivileged' : 'nginx'}:1`,
    dockerfile: `FROM debian:bookworm-slim
RUN groupadd --system --gid 101 nginx \\
    && useradd --system --uid 101 --gid nginx --home-dir /nonexistent --shell /usr/sbin/nologin nginx \\
    && apt-get update \\
    && apt-get install -y --no-install-recommends nginx-light \\
    && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled /etc/nginx/modules-enabled /var/www \\
    && mkdir -p /usr/share/nginx/html
COPY nginx.conf /etc/nginx/nginx.conf
COPY default.conf /etc/nginx/conf.d/default.conf
EXPOSE ${port}
STOPSIGNAL SIGQUIT
${unprivileged ? 'USER 101\n' : ''}CMD ["nginx", "-g", "daemon off;"]
`,
    files: { 'nginx.conf': mainConfig(unprivileged), 'default.conf': siteConfig(port) },
  };
}
