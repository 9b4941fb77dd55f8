#include "io/post.h"

#include "io/uvloop.h"

/* What is posted meanwhile arrives at the next wake-up: tasks run in between. */
static void on_async(uv_async_t *async)
{
    neap_loop *loop = neap_container(async, neap_loop, async);
    neap_link arrived;

    neap_link_init(&arrived);
    pthread_mutex_lock(&loop->posts_lock);
    while (neap_link_linked(&loop->posts)) {
        neap_link *first = loop->posts.next;
        neap_link_remove(first);
        neap_link_append(&arrived, first);
    }
    while (neap_link_linked(&arrived)) {
        neap_post *post = neap_container(arrived.next, neap_post, link);
        neap_link_remove(&post->link);
        pthread_mutex_unlock(&loop->posts_lock);
        post->arrive(post);
        pthread_mutex_lock(&loop->posts_lock);
    }
    pthread_mutex_unlock(&loop->posts_lock);
}

int neap_loop_open_posts(neap_loop *loop)
{
    neap_link_init(&loop->posts);
    pthread_mutex_init(&loop->posts_lock, NULL);
    return uv_async_init(&loop->uv, &loop->async, on_async);
}

void neap_post_init(neap_post *post, void (*arrive)(neap_post *post))
{
    neap_link_init(&post->link);
    post->arrive = arrive;
}

void neap_loop_post(neap_loop *loop, neap_post *post)
{
    pthread_mutex_lock(&loop->posts_lock);
    if (!neap_link_linked(&post->link)) {
        neap_link_append(&loop->posts, &post->link);
        uv_async_send(&loop->async);    /* under the lock: the loop may end after it */
    }
    pthread_mutex_unlock(&loop->posts_lock);
}

void neap_loop_unpost(neap_loop *loop, neap_post *post)
{
    pthread_mutex_lock(&loop->posts_lock);
    neap_link_remove(&post->link);
    pthread_mutex_unlock(&loop->posts_lock);
}
